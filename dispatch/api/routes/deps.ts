import type { Accounts } from '../../accounts.js';
import type { AuditLog } from '../../audit.js';
import type { Webhooks } from '../../webhooks/webhooks.js';
import type { Authenticator } from '../http/authenticate.js';
import type { Registrar } from '../http/register.js';
import type { HttpServerDeps } from '../server.js';
import type { Streams } from '../stream.js';
import type { Road } from '../../road.js';
import type { ReachedCentre } from '../reached-centre.js';

/** What routes are made of. */
export interface RouteDeps extends HttpServerDeps {
  accounts: Accounts;
  audit: AuditLog;
  authenticator: Authenticator;
  cookieName: string;
  streams: Streams;
  webhooks: Webhooks;
  reached: ReachedCentre;
  road: Road;
  /** Counts a refused sign-in. */
  signInFailed: () => void;
  /** Counts one that was refused without a look at its password. */
  signInThrottled: () => void;
  registrar: Pick<Registrar, 'routes'>;
}

/** All routes of the API, by subject. */
import type { Route } from '../http/route.js';
import { alertRoutes } from './alerts.js';
import { customerRoutes } from './customers.js';
import type { RouteDeps } from './deps.js';
import { documentationRoutes } from './documentation.js';
import { eventRoutes } from './events.js';
import { operationRoutes } from './operations.js';
import { orderRoutes } from './orders.js';
import { orderStepRoutes } from './order-steps.js';
import { organisationRoutes } from './organisation.js';
import { peopleRoutes } from './people.js';
import { photoRoutes } from './photos.js';
import { reportRoutes } from './reports.js';
import { sessionRoutes } from './session.js';
import { statusRoutes } from './status.js';
import { terminalRoutes } from './terminals.js';
import { trackRoutes } from './track.js';
import { vehicleAlarmRoutes } from './vehicle-alarms.js';
import { vehicleAreaRoutes } from './vehicle-areas.js';
import { vehicleRoutes } from './vehicles.js';
import { webhookRoutes } from './webhooks.js';

export function allRoutes(deps: RouteDeps): Route[] {
  return [
    ...orderRoutes(deps),
    ...orderStepRoutes(deps),
    ...photoRoutes(deps),
    ...statusRoutes(deps),
    ...customerRoutes(deps),
    ...vehicleRoutes(deps),
    ...vehicleAlarmRoutes(deps),
    ...vehicleAreaRoutes(deps),
    ...terminalRoutes(deps),
    ...trackRoutes(deps),
    ...organisationRoutes(deps),
    ...alertRoutes(deps),
    ...eventRoutes(deps),
    ...reportRoutes(deps),
    ...webhookRoutes(deps),
    ...peopleRoutes(deps),
    ...sessionRoutes(deps),
    ...operationRoutes(deps),
    ...documentationRoutes(deps),
  ];
}

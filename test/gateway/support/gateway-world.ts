/** The terminal gateway over the real service and a real store, on free ports. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClock } from '../../../dispatch/clock.js';
import { createDispatch, type Dispatch } from '../../../dispatch/service.js';
import { DEFAULT_SETTINGS } from '../../../dispatch/domain/settings.js';
import { openLmdb } from '../../../dispatch/store/lmdb.js';
import type { Clock } from '../../../dispatch/ports.js';
import type { DispatchStore } from '../../../dispatch/store/store.js';
import type { GatewayLimits } from '../../../gateway/limits.js';
import { createLog } from '../../../gateway/log.js';
import type { DeliveryLoop, TerminalLink, TransportResult } from '../../../gateway/session/link.js';
import { startTerminalGateway, type TerminalGateway } from '../../../gateway/terminal-gateway.js';
import type { TcpListenerOptions } from '../../../gateway/tcp.js';

/** What the delivery loop was told. */
export class RecordingDeliveries implements DeliveryLoop {
  readonly links: TerminalLink[] = [];
  readonly receipts: [string, TransportResult][] = [];
  readonly log: string[] = [];

  attach(link: TerminalLink): void {
    this.links.push(link);
    this.log.push(`attach ${link.phone}`);
  }
  detach(link: TerminalLink): void {
    this.links.splice(this.links.indexOf(link), 1);
    this.log.push(`detach ${link.phone}`);
  }
  receipt(_link: TerminalLink, deliveryId: string, result: TransportResult): void {
    this.receipts.push([deliveryId, result]);
  }
  changed(link: TerminalLink): void {
    this.log.push(`changed ${link.phone} ${link.profile}`);
  }
}

export interface GatewayWorldOptions {
  limits?: Partial<GatewayLimits>;
  enrolment?: 'known' | 'open';
  /** Stands between gateway and store, to fail on purpose. */
  wrap?: (store: DispatchStore) => DispatchStore;
  clock?: Clock;
  tls?: TcpListenerOptions['tls'];
  directory?: string;
}

export interface GatewayWorld {
  readonly gateway: TerminalGateway;
  readonly dispatch: Dispatch;
  readonly store: DispatchStore;
  readonly deliveries: RecordingDeliveries;
  readonly port: number;
  readonly logged: string[];
  /** Stops everything and removes the store. */
  stop(keep?: boolean): Promise<void>;
}

export async function startGatewayWorld(options: GatewayWorldOptions = {}): Promise<GatewayWorld> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'linecrew-gateway-'));
  const opened = await openLmdb(directory);
  const store = options.wrap?.(opened) ?? opened;
  const logged: string[] = [];
  const log = createLog('debug', { write: (line) => void logged.push(line) });
  const clock = options.clock ?? (await openClock(store, 1));
  const words = {
    warn: () => {},
    error: (fields: object, message: string) => logged.push(JSON.stringify({ message, ...fields })),
  };
  const dispatch = createDispatch({ store, clock, settings: DEFAULT_SETTINGS, random: randomBytes, log: words });
  await dispatch.start();
  const deliveries = new RecordingDeliveries();
  const gateway = await startTerminalGateway({
    dispatch,
    node: 'node-1',
    enrolment: options.enrolment ?? 'known',
    deliveries,
    random: randomBytes,
    log,
    limits: options.limits,
  });
  const tls = options.tls === undefined ? {} : { tls: options.tls };
  const port = await gateway.listen({ port: 0, host: '127.0.0.1', ...tls });
  return {
    gateway,
    dispatch,
    store,
    deliveries,
    port,
    logged,
    async stop(keep = false) {
      await gateway.stop();
      await dispatch.stop();
      await opened.close();
      if (!keep) rmSync(directory, { recursive: true, force: true });
    },
  };
}

const operator = { source: 'api', name: 'test', roles: ['administrator'] } as const;

/** Puts a vehicle on file. */
export async function addVehicle(dispatch: Dispatch, phone: string, id = `v-${phone}`): Promise<string> {
  const crew = { name: 'crew', members: [{ name: 'Li' }] };
  await dispatch.execute(
    {
      type: 'vehicle.create',
      id,
      plate: `京A${phone.slice(-5)}`,
      terminal: { phone },
      crew,
      repairCentreId: 'centre-1',
      trade: 'lowVoltage',
    },
    operator,
  );
  return id;
}

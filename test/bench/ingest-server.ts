/**
 * Server process of the ingest benchmark: `raw` counts bytes, `rawack` answers every frame with constant bytes, `durable`
 * is the product, `off` is the product with an ingest log that forgets.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openClock } from '../../dispatch/clock.js';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import { createDispatch } from '../../dispatch/service.js';
import { openLmdb } from '../../dispatch/store/lmdb.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import { createLog } from '../../gateway/log.js';
import { startTerminalGateway } from '../../gateway/terminal-gateway.js';
import { encodeFrame } from '../../protocol/index.js';
import { cpuMs, frameBytes, phoneOf, type Mark } from './ingest-load.js';
import { putVehicles } from './vehicles.js';

const kind = process.argv[2]!;
const terminals = Number(process.argv[3] ?? 1_000);

interface Server {
  port: number;
  mark(): Omit<Mark, 'cpuMs' | 'atMs'>;
  stop(): Promise<void>;
}

async function bare(answering: boolean): Promise<Server> {
  const form = { versionFlag: false, protocolVersion: 0, phoneRaw: Buffer.alloc(6, 0x13) };
  const answer = Buffer.from(encodeFrame({ messageId: 0x8001, serial: 1, body: Buffer.alloc(5), ...form }));
  const many = Buffer.concat(Array.from({ length: 4096 }, () => answer));
  let bytes = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    let rest = 0;
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (!answering) return;
      rest += chunk.length;
      const frames = Math.floor(rest / frameBytes);
      rest -= frames * frameBytes;
      if (frames > 0) socket.write(many.subarray(0, frames * answer.length));
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    mark: () => ({ frames: bytes / frameBytes }),
    stop: async () => void server.close(),
  };
}

async function product(durable: boolean): Promise<Server> {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const opened = await openLmdb(directory);
  const store = durable ? opened : forgetting(opened);
  const clock = await openClock(store, 1);
  const log = createLog('error');
  const dispatch = createDispatch({
    store,
    clock,
    settings: DEFAULT_SETTINGS,
    random: randomBytes,
    log: { warn: () => {}, error: (fields, msg) => log.error({ ...fields, msg }) },
  });
  await putVehicles(dispatch, terminals, (i) => {
    const phone = phoneOf(i);
    return { id: `truck-${i}`, plate: phone, terminal: { phone } };
  });
  const deliveries = { attach: () => {}, detach: () => {}, receipt: () => {}, changed: () => {} };
  const gateway = await startTerminalGateway({
    dispatch,
    node: 'bench',
    enrolment: 'known',
    deliveries,
    random: randomBytes,
    log,
  });
  const port = await gateway.listen({ port: 0, host: '127.0.0.1' });
  return {
    port,
    mark: () => ({
      frames: gateway.counters.framesReceived,
      applied: gateway.counters.positionsApplied,
      groups: gateway.counters.groupsDurable,
    }),
    async stop() {
      await gateway.stop();
      await dispatch.stop();
      await opened.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The store with an ingest log that keeps nothing: what the product costs without durability. */
function forgetting(store: DispatchStore): DispatchStore {
  let sequence = 0;
  return new Proxy(store, {
    get(target, property) {
      if (property === 'appendIngest') return async () => ++sequence;
      // Each read gives an empty group for what was "appended", so the reader keeps up with nothing to do.
      if (property === 'readIngest') {
        return async (_node: string, after: number, limit: number) =>
          Array.from({ length: Math.min(limit, sequence - after) }, (_, i) => ({
            sequence: after + i + 1,
            group: emptyGroup,
          }));
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
const emptyGroup = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0, 0, 0);

const server = kind === 'raw' || kind === 'rawack' ? await bare(kind === 'rawack') : await product(kind === 'durable');
process.send!({ port: server.port });
process.on('message', (message) => {
  if (message === 'mark') process.send!({ mark: { ...server.mark(), cpuMs: cpuMs(), atMs: performance.now() } });
  if (message === 'stop') void server.stop().finally(() => process.exit(0));
});
process.on('disconnect', () => process.exit(0));

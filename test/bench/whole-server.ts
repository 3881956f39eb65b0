/**
 * Server process of the benchmarks with many connections: `gateway KNOWN` is the whole program with so many vehicles on
 * file, `bare` a TCP and an HTTP server that do the least: a request for socket N writes a text's worth of bytes to it.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway } from '../../gateway/main.js';
import { phoneOf } from './ingest-load.js';
import { benchToken, cpuMsOf, usageOf } from './processes.js';
import { putVehicles } from './vehicles.js';

/** As long as the text of an order. */
const textBytes = Buffer.alloc(120, 0x41);

interface Server {
  tcp: number;
  http: string;
  connections(): number;
  stop(): Promise<void>;
}

async function bare(): Promise<Server> {
  const byIndex = new Map<number, Socket>();
  const all = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    all.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => all.delete(socket));
    socket.on('data', (chunk) => {
      if (chunk.length === 4) byIndex.set(chunk.readUInt32BE(), socket);
    });
  });
  await new Promise<void>((resolve) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve));
  const http = createHttpServer((request, response) => {
    byIndex.get(Number(request.url!.slice(1)))?.write(textBytes);
    request.resume().on('end', () => response.end('{}'));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  return {
    tcp: (server.address() as AddressInfo).port,
    http: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
    connections: () => all.size,
    async stop() {
      for (const socket of all) socket.destroy();
      http.closeAllConnections();
      server.close();
      http.close();
    },
  };
}

/** @param kept folder of a store that stays: the vehicles are put on file by the first process that opens it */
async function gateway(known: number, kept?: string): Promise<Server> {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'linecrew-bench-'));
  const flags = {
    httpPort: '0', tcpPort: '0', mqttPort: 'off', tcpHost: '127.0.0.1', store: `lmdb:${folder}`, maxConnectionsPerAddress: '100000', loginS: '600',
  }; // prettier-ignore
  const env = { LINECREW_API_TOKEN: benchToken, LINECREW_ADMIN_PASSWORD: 'a-password-of-benches' };
  const started = await startGateway(loadConfig({ flags, env }).config, { log: createLog('silent') });
  await putVehicles(started.dispatch, known, (i) => {
    const phone = phoneOf(i);
    return { id: `truck-${i}`, plate: phone, terminal: { phone, profile: 'text' } };
  });
  return {
    tcp: started.ports.tcp!,
    http: started.url,
    connections: () => 0,
    async stop() {
      await started.stop();
      if (kept === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (process.send !== undefined) {
  const [, , kind, known, kept] = process.argv;
  const server = kind === 'bare' ? await bare() : await gateway(Number(known ?? 0), kept);
  process.on('message', (message) => {
    if (message === 'cpu') process.send!(cpuMsOf());
    if (message === 'usage') process.send!(usageOf(server.connections()));
    if (message === 'stop') void server.stop().finally(() => process.exit(0));
  });
  process.on('disconnect', () => process.exit(0));
  process.send({ tcp: server.tcp, http: server.http });
}

/** Client process of the ingest benchmark: keeps a load on a port; counts answers, or frames sent where none come. */
import type { Socket } from 'node:net';
import { cpuMs, Frames, loads } from './ingest-load.js';
import { login, open } from './terminal-client.js';

const [, , portText, loadName, mode] = process.argv as unknown as [
  string,
  string,
  string,
  string,
  'raw' | 'rawack' | 'product',
];
const port = Number(portText);
const load = loads.find(({ name }) => name === loadName)!;

let frames = 0;
let stopped = false;

interface Connection {
  readonly socket: Socket;
  readonly frames: Frames;
}

async function connected(index: number): Promise<Connection> {
  const socket = mode === 'product' ? await login(port, index) : await open(port);
  return { socket, frames: new Frames(index, load.perWrite, Date.now()) };
}

/** Answers in a chunk: two flags each, and none inside. */
function flagsIn(chunk: Buffer): number {
  let flags = 0;
  for (let at = chunk.indexOf(0x7e); at >= 0; at = chunk.indexOf(0x7e, at + 1)) flags++;
  return flags;
}

function answered({ socket, frames: own }: Connection): void {
  let flags = 0;
  const send = (): void => {
    if (!stopped) socket.write(own.next());
  };
  socket.on('data', (chunk: Buffer) => {
    flags += flagsIn(chunk);
    const answers = flags >> 1;
    frames += answers - counted;
    counted = answers;
    while (sent - counted <= load.inFlight - load.perWrite && !stopped) {
      sent += load.perWrite;
      send();
    }
  });
  let counted = 0;
  let sent = 0;
  for (; sent < load.inFlight; sent += load.perWrite) send();
}

/** Nothing answers: as many writes as may be in flight, a further one when the kernel has taken one. */
function unanswered({ socket, frames: own }: Connection): void {
  const send = (): void => {
    if (stopped) return;
    frames += load.perWrite;
    socket.write(own.next(), again);
  };
  const again = (): void => void setImmediate(send);
  for (let writes = 0; writes < load.inFlight / load.perWrite; writes++) send();
}

const connections: Connection[] = [];
for (let from = 0; from < load.connections; from += 50) {
  const some = Array.from({ length: Math.min(50, load.connections - from) }, (_, i) => connected(from + i));
  connections.push(...(await Promise.all(some)));
}
process.send!('ready');
process.on('message', (message) => {
  if (message === 'go') for (const one of connections) (mode === 'raw' ? unanswered : answered)(one);
  if (message === 'mark') process.send!({ mark: { frames, cpuMs: cpuMs(), atMs: performance.now() } });
  if (message === 'stop') {
    stopped = true;
    for (const { socket } of connections) socket.destroy();
    process.exit(0);
  }
});
process.on('disconnect', () => process.exit(0));

/** Client process of the ingest benchmark: keeps a load on a port; counts answers, or frames sent where none come. */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { Answers, authentication, registration } from '../gateway/support/frames.js';
import { cpuMs, Frames, loads, phoneOf } from './ingest-load.js';

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

async function open(index: number): Promise<Connection> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {});
  await once(socket, 'connect');
  if (mode === 'product') await login(socket, index);
  return { socket, frames: new Frames(index, load.perWrite, Date.now()) };
}

async function login(socket: Socket, index: number): Promise<void> {
  const form = { phone: phoneOf(index), edition: 2013 } as const;
  const answers = new Answers();
  const heard = (chunk: Buffer): void => answers.push(chunk);
  socket.on('data', heard);
  socket.write(registration(form, 1));
  while (answers.of(0x8100).length === 0) await once(socket, 'data');
  const reply = answers.of(0x8100)[0]!.body;
  if (reply[2] !== 0) throw new Error(`terminal ${form.phone} was refused with ${reply[2]}`);
  socket.write(authentication(form, 2, reply.subarray(3).toString('latin1')));
  while (answers.of(0x8001).length === 0) await once(socket, 'data');
  socket.off('data', heard);
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

const connections: Awaited<ReturnType<typeof open>>[] = [];
for (let from = 0; from < load.connections; from += 50) {
  const some = Array.from({ length: Math.min(50, load.connections - from) }, (_, i) => open(from + i));
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

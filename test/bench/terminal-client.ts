/** A terminal's login for benchmarks, and the answers in what comes back. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Answers, authentication, registration } from '../gateway/support/frames.js';
import { phoneOf } from './ingest-load.js';

export async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  socket.on('error', () => {});
  return socket;
}

/** Registers as terminal number `index`. @returns its authentication code. Rejects when it is refused. */
export async function register(socket: Socket, index: number): Promise<string> {
  const [reply] = await asked(socket, registration(formOf(index), 1), 0x8100);
  if (reply![2] !== 0) throw new Error(`terminal ${formOf(index).phone} was refused with ${reply![2]}`);
  return reply!.subarray(3).toString('latin1');
}

export async function authenticate(socket: Socket, index: number, code: string): Promise<void> {
  const [answer] = await asked(socket, authentication(formOf(index), 2, code), 0x8001);
  if (answer![4] !== 0) throw new Error(`terminal ${formOf(index).phone} was refused with ${answer![4]}`);
}

/** Registers and authenticates as terminal number `index`. Rejects when it is refused. */
export async function login(port: number, index: number): Promise<Socket> {
  const socket = await open(port);
  await authenticate(socket, index, await register(socket, index));
  return socket;
}

const formOf = (index: number) => ({ phone: phoneOf(index), edition: 2013 }) as const;

/** Bodies of the first answers with a message ID. */
async function asked(socket: Socket, frame: Uint8Array, answer: number): Promise<Buffer[]> {
  const answers = new Answers();
  const heard = (chunk: Buffer): void => answers.push(chunk);
  socket.on('data', heard);
  socket.write(frame);
  while (answers.of(answer).length === 0) await once(socket, 'data');
  socket.off('data', heard);
  return answers.of(answer).map(({ body }) => body);
}

/** Many at once, but not all: a wave of logins is another benchmark. */
export async function openAll(count: number, one: (index: number) => Promise<Socket>): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let from = 0; from < count; from += 50) {
    const some = Array.from({ length: Math.min(50, count - from) }, (_, i) => one(from + i));
    sockets.push(...(await Promise.all(some)));
  }
  return sockets;
}

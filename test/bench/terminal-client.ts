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

/** Registers and authenticates as terminal number `index`. Rejects when it is refused. */
export async function login(port: number, index: number): Promise<Socket> {
  const socket = await open(port);
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
  return socket;
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

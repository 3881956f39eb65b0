/**
 * The control socket: how `linecrew backup`, `user` and `token` reach the gateway that has the store open. A Unix socket
 * in the store's directory, so that the directory's permissions decide who may use it; a gateway on a store that several
 * share has it in a directory of its user's. One JSON object a line each way.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join, resolve } from 'node:path';

export type ControlHandlers = Record<string, (args: Record<string, unknown>) => Promise<unknown>>;

/** Writes lines until the caller goes, or the gateway ends; gives how to stop. */
export type ControlStreams = Record<
  string,
  (args: Record<string, unknown>, write: (value: unknown) => void) => Promise<() => void>
>;

/** No running gateway answers on the socket. */
export class NotRunning extends Error {}
/** The gateway answered with an error. */
export class ControlError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A Unix socket's path holds about 100 bytes; a longer one goes to the temporary folder under a name made from it. */
const SOCKET_PATH_BYTES = 100;
/** The longest line is an evidence sheet with its frames, or a file to import. */
const MAX_LINE_BYTES = 16 << 20;
const ANSWER_MS = 600_000;
/** A caller that reads slower than a stream writes loses what is beyond. */
const STREAM_BEHIND_BYTES = 1 << 20;

/** Where the gateway that uses this store directory listens. */
export function controlPath(directory: string): string {
  const path = join(resolve(directory), 'control.sock');
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES) return path;
  return join(tmpdir(), `linecrew-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.sock`);
}

/** Where the gateway of this configuration keeps its socket: beside its store, else by store and name of the gateway. */
export function controlDirectory({ store, nodeId }: { store: string; nodeId: string }): string {
  if (store.startsWith('lmdb:')) return resolve(store.slice('lmdb:'.length));
  const name = createHash('sha256')
    .update(JSON.stringify([store, nodeId]))
    .digest('hex')
    .slice(0, 16);
  return join(process.env['XDG_RUNTIME_DIR'] ?? tmpdir(), `linecrew-${userInfo().uid}-${name}`);
}

/**
 * Makes the directory that {@link controlDirectory} names for a shared store.
 * @throws {Error} where it belongs to somebody else, or others may enter it
 */
export function makeControlDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(directory);
  const own = process.getuid === undefined || uid === process.getuid();
  if (!own || (mode & 0o077) !== 0) throw new Error(`${directory} is not this user's alone (expected mode 0700)`);
}

/** Listens until closed. A socket file that a killed gateway left behind is replaced. */
export async function serveControl(
  directory: string,
  handlers: ControlHandlers,
  streams: ControlStreams = {},
): Promise<{ close(): Promise<void> }> {
  const path = controlPath(directory);
  rmSync(path, { force: true });
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    readLines(socket, (line) => void answer(socket, line, handlers, streams));
  });
  await new Promise<void>((done, fail) => server.once('error', fail).listen(path, done));
  chmodSync(path, 0o600);
  return {
    close: () =>
      new Promise<void>((done) => {
        for (const socket of open) socket.destroy();
        server.close(() => {
          rmSync(path, { force: true });
          done();
        });
      }),
  };
}

async function answer(socket: Socket, line: string, handlers: ControlHandlers, streams: ControlStreams): Promise<void> {
  let reply: object;
  try {
    const { method, args } = JSON.parse(line) as { method: string; args?: Record<string, unknown> };
    if (Object.hasOwn(streams, method)) return await stream(socket, args ?? {}, streams[method]!);
    const handler = Object.hasOwn(handlers, method) ? handlers[method] : undefined;
    if (!handler) throw new ControlError('unknownMethod', `this gateway knows no "${method}"`);
    reply = { ok: true, value: (await handler(args ?? {})) ?? null };
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    reply = { ok: false, code: typeof code === 'string' ? code : 'failed', message };
  }
  if (!socket.destroyed) socket.end(JSON.stringify(reply) + '\n');
}

async function stream(socket: Socket, args: Record<string, unknown>, open: ControlStreams[string]): Promise<void> {
  const stop = await open(args, (value) => {
    if (!socket.destroyed && socket.writableLength < STREAM_BEHIND_BYTES) socket.write(JSON.stringify(value) + '\n');
  });
  if (socket.destroyed) stop();
  else socket.on('close', stop);
}

/**
 * Follows a stream of the running gateway; resolves when the gateway ends it.
 * @throws {NotRunning} when none answers in that directory
 * @throws {ControlError} with the gateway's code and words when it refuses
 */
export function followGateway(
  directory: string,
  method: string,
  args: Record<string, unknown>,
  on: (value: unknown) => void,
): Promise<void> {
  return new Promise((done, fail) => {
    const socket = connect(controlPath(directory));
    socket.on('error', (error) => fail(absentOr(error)));
    socket.on('close', () => done());
    socket.on('connect', () => socket.write(JSON.stringify({ method, args }) + '\n'));
    readLines(socket, (line) => {
      const value = JSON.parse(line) as { ok?: boolean; code: string; message: string };
      if (value.ok === false) fail(new ControlError(value.code, value.message));
      else on(value);
    });
  });
}

function absentOr(error: NodeJS.ErrnoException): Error {
  const absent = error.code === 'ENOENT' || error.code === 'ECONNREFUSED';
  return absent ? new NotRunning('no gateway runs on this store') : error;
}

/**
 * Asks the running gateway.
 * @throws {NotRunning} when none answers in that directory
 * @throws {ControlError} with the gateway's code and words when it refuses
 */
export function callGateway(directory: string, method: string, args: Record<string, unknown> = {}): Promise<unknown> {
  return new Promise((done, fail) => {
    const socket = connect(controlPath(directory));
    socket.setTimeout(ANSWER_MS, () => socket.destroy(new Error(`the gateway did not answer "${method}" in time`)));
    socket.on('error', (error) => fail(absentOr(error)));
    socket.on('close', () => fail(new Error('the gateway closed the control socket without an answer')));
    socket.on('connect', () => socket.write(JSON.stringify({ method, args }) + '\n'));
    readLines(socket, (line) => {
      const reply = JSON.parse(line) as { ok: boolean; value?: unknown; code: string; message: string };
      if (reply.ok) done(reply.value);
      else fail(new ControlError(reply.code, reply.message));
    });
  });
}

function readLines(socket: Socket, on: (line: string) => void): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
    if (text.length > MAX_LINE_BYTES) return void socket.destroy();
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end);
      text = text.slice(end + 1);
      on(line);
    }
  });
}

import { createWriteStream, type WriteStream } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { formatHeader, formatPiece, type Piece } from '../capture/recording.js';

export interface RecorderOptions {
  /** Where terminals connect; port 0 takes a free one. */
  listenHost: string;
  listenPort: number;
  /** The platform behind. */
  host: string;
  port: number;
  file: string;
}

/** Terminals whose traffic can be passed on at once; more are refused rather than slowing the others. */
const mostConnections = 10_000;

/**
 * A transparent proxy: terminals connect here, everything goes on to the platform and back untouched, and is written
 * down. A side that reads slowly slows the other down; nothing is kept in memory.
 */
export class Recorder {
  readonly counts = { connections: 0, open: 0, up: 0, down: 0 };
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #file: WriteStream | undefined;
  #startedAt = 0;

  constructor(readonly options: RecorderOptions) {
    // Half-open as the ends are: a FIN of one side is passed on, not turned into the end of both.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    this.#server.maxConnections = mostConnections;
  }

  /** @returns the port that is listened on */
  async start(): Promise<number> {
    const file = createWriteStream(this.options.file, { flags: 'wx' });
    await new Promise<void>((resolve, reject) => {
      file.once('open', () => resolve());
      file.once('error', reject);
    });
    this.#file = file;
    const wallAt = Date.now();
    this.#startedAt = performance.now();
    file.write(`${formatHeader(wallAt)}\n`);
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.options.listenPort, this.options.listenHost, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Their ends belong into the recording: it is closed behind them.
    const ended = [...this.#sockets].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, ...ended]);
    await new Promise<void>((resolve) => (this.#file === undefined ? resolve() : this.#file.end(() => resolve())));
  }

  #accept(terminal: Socket): void {
    const connection = (this.counts.connections += 1);
    this.counts.open += 1;
    const platform = connect({ host: this.options.host, port: this.options.port, allowHalfOpen: true });
    this.#note({ kind: 'open', connection, bytes: new Uint8Array(0) });
    this.#join(terminal, platform, (bytes) => {
      this.counts.up += bytes.length;
      this.#note({ kind: 'up', connection, bytes });
    });
    this.#join(platform, terminal, (bytes) => {
      this.counts.down += bytes.length;
      this.#note({ kind: 'down', connection, bytes });
    });
    let open = true;
    const closed = (): void => {
      if (!open) return;
      open = false;
      this.counts.open -= 1;
      this.#note({ kind: 'close', connection, bytes: new Uint8Array(0) });
      terminal.destroy();
      platform.destroy();
    };
    terminal.on('close', closed);
    platform.on('close', closed);
  }

  #join(from: Socket, to: Socket, note: (bytes: Uint8Array) => void): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (bytes) => {
      note(bytes);
      if (!to.write(bytes)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => to.end());
    from.on('error', () => from.destroy());
    from.on('close', () => this.#sockets.delete(from));
  }

  #note(piece: Omit<Piece, 'ms'>): void {
    this.#file?.write(`${formatPiece({ ...piece, ms: performance.now() - this.#startedAt })}\n`);
  }
}

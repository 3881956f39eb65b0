/** A terminal on a real socket, for tests: sends frames, waits for answers. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { once } from 'node:events';
import { ackText, Answers, authentication, registration, type Answer, type TerminalForm } from './frames.js';

export class TerminalClient {
  readonly answers = new Answers();
  closed = false;
  #waiters: (() => void)[] = [];

  private constructor(
    readonly form: TerminalForm,
    readonly socket: Socket,
  ) {
    socket.on('data', (chunk) => {
      this.answers.push(chunk);
      this.#wake();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  /** @param allowHalfOpen the terminal may go on sending after the gateway has ended */
  static async open(
    port: number,
    form: TerminalForm,
    { tls, allowHalfOpen = false }: { tls?: ConnectionOptions; allowHalfOpen?: boolean } = {},
  ): Promise<TerminalClient> {
    const to = { port, host: '127.0.0.1' };
    const socket = tls === undefined ? connect({ ...to, allowHalfOpen }) : connectTls({ ...to, ...tls });
    const client = new TerminalClient(form, socket);
    await once(socket, tls === undefined ? 'connect' : 'secureConnect');
    return client;
  }

  send(...frames: Uint8Array[]): void {
    this.socket.write(Buffer.concat(frames));
  }

  /** Waits until `found` gives something that is not undefined or false. */
  async until<T>(found: () => T | undefined | false, what: string): Promise<T> {
    for (const end = Date.now() + 10_000; ;) {
      const value = found();
      if (value !== undefined && value !== false) return value;
      if (Date.now() > end)
        throw new Error(
          `nothing came: ${what}; got ${this.answers.all.map((a) => a.messageId.toString(16)).join(' ')}`,
        );
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** The 0x8001 for this frame. */
  async acknowledged(messageId: number, serial: number): Promise<number> {
    const prefix = `${messageId.toString(16).padStart(4, '0')}:${serial}=`;
    const answer = await this.until(
      () => this.answers.of(0x8001).find(({ body }) => ackText(body).startsWith(prefix)),
      `0x8001 for ${prefix}`,
    );
    return answer.body[4]!;
  }

  async answer(messageId: number): Promise<Answer> {
    return this.until(() => this.answers.of(messageId)[0], `0x${messageId.toString(16)}`);
  }

  /** Registers and authenticates; gives the code. */
  async enrol(): Promise<string> {
    this.send(registration(this.form, 1));
    const { body } = await this.answer(0x8100);
    if (body[2] !== 0) throw new Error(`registration refused with ${body[2]}`);
    const code = body.subarray(3).toString('latin1');
    await this.login(code);
    return code;
  }

  async login(code: string, serial = 2): Promise<void> {
    this.send(authentication(this.form, serial, code));
    const result = await this.acknowledged(0x0102, serial);
    if (result !== 0) throw new Error(`authentication refused with ${result}`);
  }

  async end(): Promise<void> {
    if (this.closed) return;
    this.socket.end();
    await this.until(() => this.closed, 'the end of the connection');
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

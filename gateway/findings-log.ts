/** Writes what strangers on the terminals' ports can cause to the log, bounded: an attack must not fill the disk. */
import type { Logger } from './log.js';
import type { Finding } from './session/sink.js';

/** Lines in one window; a fleet of thousands with one bad frame each still shows. */
const linesPerWindow = 200;
const windowMs = 10_000;
const bytesShown = 256;

export class FindingsLog {
  #lines = 0;
  #suppressed = 0;
  #windowAt = 0;

  constructor(
    private readonly log: Logger,
    private readonly now: () => number,
  ) {}

  write(finding: Finding, fields: Record<string, unknown>): void {
    const { what, detail, messageId, bytes } = finding;
    this.line('warn', {
      ...fields,
      finding: what,
      ...(messageId === undefined ? {} : { messageId: `0x${messageId.toString(16).padStart(4, '0')}` }),
      ...(bytes === undefined ? {} : { bytes: Buffer.from(bytes.subarray(0, bytesShown)).toString('hex') }),
      msg: detail,
    });
  }

  /** A line of anything else that an unknown peer can cause as often as it likes. */
  line(level: 'info' | 'warn', fields: Record<string, unknown> & { msg: string }): void {
    const nowMs = this.now();
    if (nowMs - this.#windowAt >= windowMs) this.#turn(nowMs);
    if (this.#lines++ >= linesPerWindow) this.#suppressed++;
    else this.log[level](fields);
  }

  #turn(nowMs: number): void {
    if (this.#suppressed > 0) this.log.warn({ suppressed: this.#suppressed, msg: 'findings were not logged' });
    this.#windowAt = nowMs;
    this.#lines = 0;
    this.#suppressed = 0;
  }
}

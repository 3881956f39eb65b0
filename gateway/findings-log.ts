/** Writes what strangers on the terminals' ports can cause to the log, bounded: an attack must not fill the disk. */
import { maskCode, toHex } from '../protocol/index.js';
import type { GatewayCounters } from './counters.js';
import type { Logger } from './log.js';
import type { Finding } from './session/sink.js';

/** Lines of a level in one window; a fleet of thousands with one bad frame each still shows. */
const linesPerWindow = 200;
const windowMs = 10_000;
const bytesShown = 256;
/** Of a name that a stranger gave; MQTT lets it have 65,535 bytes. */
const textShown = 64;

type Level = 'info' | 'warn';

/** What the log says about lines that it left out. */
const LEFT_OUT: Record<Level, string> = {
  info: 'more registrations than are logged one by one',
  warn: 'findings were not logged',
};

export class FindingsLog {
  // Each level has its own room: a wave of registrations after an outage hides no finding.
  readonly #windows: Record<Level, { since: number; lines: number; suppressed: number }> = {
    info: { since: 0, lines: 0, suppressed: 0 },
    warn: { since: 0, lines: 0, suppressed: 0 },
  };

  constructor(
    private readonly log: Logger,
    private readonly now: () => number,
    private readonly counters: Pick<GatewayCounters, 'logLinesLeftOut'>,
  ) {}

  write(finding: Finding, fields: Record<string, unknown>): void {
    const { what, detail, messageId, bytes } = finding;
    this.#line('warn', {
      ...fields,
      finding: what,
      ...(messageId === undefined ? {} : { messageId: `0x${messageId.toString(16).padStart(4, '0')}` }),
      ...(bytes === undefined ? {} : { bytes: toHex(maskCode(bytes.subarray(0, bytesShown))) }),
      msg: detail,
    });
  }

  /** An unknown peer can register as often as it likes. */
  registration(fields: Record<string, unknown>): void {
    this.#line('info', { ...fields, msg: 'registration' });
  }

  /** A login or a client that is turned away, in words: strangers can cause it as often as they like. */
  turnedAway(msg: string, fields: Record<string, unknown>): void {
    const short = (value: unknown): unknown => (typeof value === 'string' ? value.slice(0, textShown) : value);
    const shown = Object.entries(fields).map(([key, value]) => [key, short(value)]);
    this.#line('warn', { ...(Object.fromEntries(shown) as Record<string, unknown>), msg });
  }

  #line(level: Level, fields: Record<string, unknown> & { msg: string }): void {
    const window = this.#windows[level];
    const nowMs = this.now();
    if (nowMs - window.since >= windowMs) {
      if (window.suppressed > 0) this.log[level]({ suppressed: window.suppressed, msg: LEFT_OUT[level] });
      Object.assign(window, { since: nowMs, lines: 0, suppressed: 0 });
    }
    if (window.lines++ < linesPerWindow) return this.log[level](fields);
    window.suppressed++;
    this.counters.logLinesLeftOut++;
  }
}

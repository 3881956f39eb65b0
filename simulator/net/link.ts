import type { Outgoing } from '../terminal/wire.js';

/** What a link tells its vehicle; times are gateway time. */
export interface LinkEvents {
  connected(now: number): void;
  received(bytes: Uint8Array, now: number): void;
  acknowledged(reportId: number, now: number): void;
  closed(reason: string, now: number): void;
}

/** One terminal's connection with its radio in between. */
export interface Link {
  /** Trying to connect, or connected. */
  readonly active: boolean;
  connect(): void;
  send(out: readonly Outgoing[]): void;
  /** The terminal hangs up. Calls `closed` at once. */
  close(reason: string): void;
  /** Radio off or on (see Radio); `off` without `silent` closes. */
  radioOff(silent: boolean): void;
  radioOn(): void;
  /** A hole in the network swallows the connection. */
  lose(): void;
  /** Closes the connection if the network has swallowed it: the terminal would only find out by and by. */
  dropDead(): void;
  /** Bytes on the wire so far. */
  readonly bytes: { up: number; down: number };
}

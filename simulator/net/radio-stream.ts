import { Duplex } from 'node:stream';
import type { Radio } from '../radio.js';
import type { FleetClock } from './clock.js';
import type { Link } from './link.js';
import { TcpLink, type TcpTarget } from './tcp-link.js';

/**
 * A TCP connection whose bytes pass through the radio, as a stream for a protocol library. It ends when the connection
 * does; what the network has swallowed without a word looks alive.
 */
export class RadioStream extends Duplex {
  /** The radio switch, and what happens to the connection. */
  readonly link: Link;

  constructor(target: TcpTarget, radio: Radio, clock: FleetClock) {
    super({ autoDestroy: true });
    this.link = new TcpLink({ ...target, isStream: true }, radio, clock, {
      connected: () => this.uncork(),
      received: (bytes) => void this.push(bytes),
      acknowledged: () => undefined,
      closed: () => this.destroy(),
    });
    // Nothing can be said before there is a connection.
    this.cork();
    this.link.connect();
  }

  override _read(): void {
    // What comes is pushed: a terminal's downlink is small.
  }

  override _writev(chunks: { chunk: Buffer }[], done: (error?: Error | null) => void): void {
    // Whatever is written in one go leaves the modem as one piece.
    this.link.send([{ bytes: Buffer.concat(chunks.map(({ chunk }) => chunk)) }]);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.link.close('closed');
    done(error);
  }
}

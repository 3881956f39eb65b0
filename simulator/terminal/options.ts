import type { Edition } from '../../protocol/index.js';
import type { Place } from '../geo.js';
import type { Profile } from './types.js';
import type { Wire, WireHooks } from './wire.js';

/** What survives a reboot: the flash of the device. */
export interface Flash {
  /** Code of the last successful registration. */
  authCode?: string;
  /** Number of the last Uplink of the application. */
  sequence: number;
  heartbeatMs: number;
  reportMs: number;
  /** Device clock minus gateway clock, ms. */
  clockOffsetMs: number;
  /** Parameters of 0x8103 by number, as the maker left them or as they were set. */
  parameters?: Map<number, Uint8Array>;
}

export interface TerminalOptions {
  profile: Profile;
  phone: string;
  /** Makes the wire; the terminal hands over its hooks and its flash. */
  wire: (hooks: WireHooks, flash: Flash) => Wire;
  /** Where an address lies, for screens that show only text. */
  locate?: (address: string) => Place | undefined;
  /** Device clock minus gateway clock, ms. */
  clockOffsetMs?: number;
  /** Legs that a `smart` or `mqtt` terminal holds; 0 for no limit. Default 20. */
  maxLegs?: number;
  /** Positions kept while there is no link; the oldest are dropped. Default 5000. */
  blindMemory?: number;
  heartbeatMs?: number;
  reportMs?: number;
  language?: string;
  /** Keeps screen and list over a reboot. Default false: they are lost, as on most devices. */
  keepsScreen?: boolean;
}

/** What a terminal of JT/T 808 is. */
export interface Jt808Options {
  edition: Edition;
  phone: string;
  plate: string;
  maker: string;
  model: string;
  terminalId: string;
  imei: string;
  /** First wait for an answer, ms of gateway time (parameter 0x0002). Default 10 s. */
  retryMs?: number;
  /** Answers unknown commands with 0 although nothing was done, as some firmware does. Default: result 3. */
  confirmsEverything?: boolean;
}

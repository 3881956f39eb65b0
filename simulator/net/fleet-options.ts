import type { ConnectionOptions } from 'node:tls';
import type { Edition } from '../../protocol/index.js';
import type { CallPattern } from '../calls.js';
import type { Place } from '../geo.js';
import type { Habits, habitsByName } from '../habits.js';
import type { RadioConditions, RadioName } from '../radio.js';
import type { RosterEntry } from '../roster.js';
import type { Profile, TerminalEvent } from '../terminal/types.js';
import type { FleetTerminal } from './fleet-terminal.js';

/** What a fleet is and where it connects. Times are gateway time unless said otherwise. */
export interface FleetOptions {
  /** Where JT/T 808 is spoken. */
  host: string;
  port: number;
  tls?: ConnectionOptions;
  /** Base URL of the gateway's HTTP API, for its clock, for enrolment and for the final check. */
  http?: string;
  /** API token: vehicles are created through the API. Without one the gateway must enrol openly. */
  token?: string;
  /** Broker of `mqtt` terminals. Default `mqtt://host:1883`. */
  mqttUrl?: string;
  mqttVersion?: 4 | 5;
  /** Number of vehicles. */
  vehicles: number;
  profile?: Profile | 'mixed';
  /** Default: 2019 for `text`, else 2013. */
  edition?: Edition | 'mixed';
  /** Vehicles that are on file already, instead of generated ones. */
  roster?: readonly RosterEntry[];
  seed?: string | number;
  /** Gateway seconds in a second of the machine. Default: what the gateway's `/healthz` says, else 1. */
  rate?: number;
  centre?: Place;
  /** Lines that trucks drive up and down while nothing is to do, one after the other shared out among them. */
  routes?: readonly (readonly Place[])[];
  /** Routing server (OSRM's HTTP API) that is asked for the ways of trucks instead of the made-up streets. */
  osrmUrl?: string;
  /** A crew's habits; `none`: nobody presses keys but the program. Default `diligent`. */
  crews?: 'none' | keyof typeof habitsByName | Habits;
  /** Default `perfect`. */
  radio?: RadioName | RadioConditions;
  /** Sends positions by itself. Default true. */
  reports?: boolean;
  /** Drives around when nothing is to do. Default: when there are crews or routes. */
  patrols?: boolean;
  /** Gateway seconds between positions. Default 10. */
  reportS?: number;
  heartbeatS?: number;
  /** First wait of a terminal for an answer, gateway seconds. Default 10. */
  retryS?: number;
  /** First and longest pause before connecting again, gateway seconds. Default 1 and 60. */
  reconnectS?: readonly [number, number];
  /** Device clock minus gateway clock is drawn from ± this, seconds. Default 0. */
  clockOffsetS?: number;
  /** Orders that a `smart` or `mqtt` terminal holds. Default 20. */
  maxLegs?: number;
  /** Positions that a terminal keeps while it has no link; the oldest are dropped. Default 5000. */
  blindMemory?: number;
  /** Keeps the screen over a reboot. Default false. */
  keepsScreen?: boolean;
  /** Standard deviation of the satellite error, metres. Default 4. */
  gpsErrorM?: number;
  repairCentreId?: string;
  trades?: readonly string[];
  /** Connects at once (spread over a moment). Default true. */
  connect?: boolean;
  /** Customers; needs `http` and `token`. */
  calls?: {
    patterns: readonly CallPattern[];
    issues?: boolean;
    /** Gateway seconds after which an unassigned order goes to the first recommended vehicle; undefined: never. */
    assignAfterS?: number;
    callsBack?: boolean;
  };
  onEvent?: (terminal: FleetTerminal, event: TerminalEvent) => void;
  /** Name in the report. Default `drive`. */
  scenario?: string;
}

/** Terminals: who they are, what they can do, what they said beside orders. */
export type ProfileName = 'smart' | 'menu' | 'text' | 'tracker' | 'mqtt';

export interface TerminalIdentity {
  maker: string;
  model: string;
  terminalId: string;
}

/** A terminal: who it is, how it proves it, what it can do. */
export interface Terminal {
  /** Number without leading zeros: the key. */
  phone: string;
  vehicleId: string;
  /** Stated by a person; otherwise `profile` follows the edition of the registration. */
  statedProfile?: ProfileName;
  profile: ProfileName;
  edition?: 2011 | 2013 | 2019;
  identity?: TerminalIdentity;
  /** Authentication codes as SHA-256 hex: current and, until the new one was used, the one before. */
  codes: { sha256: string; issuedAt: number; usedAt?: number }[];
  /** MQTT password: scrypt or SHA-256 of a random secret, never the secret. */
  secret?: { sha256: string; setAt: number };
  /** When codes and secret were last taken back (ms UTC). */
  rotatedAt?: number;
  blocked?: { at: number; by: string; reason: string };
  /** A registration with another identity that waits for a person ("swapped?"). */
  swapped?: { identity: TerminalIdentity; at: number; address?: string };
  /** When it was taken over lately (ms UTC), newest last. */
  takeOvers?: number[];
  /** Three take-overs in ten minutes: orders go to neither until a person decides. */
  contested?: { at: number; addresses: string[] };
  /** Terminal clock minus gateway clock, ms; measured. */
  clockOffset?: { ms: number; measuredAt: number };
  options: TerminalOptions;
}

/** Vendor dialects that a vehicle may be set to; the gateway holds what each reads. */
export const DIALECT_NAMES = ['common', 'standard', 'tracker', 'lock', 'obd'] as const;
export type DialectName = (typeof DIALECT_NAMES)[number];

/** What a profile may vary by (architecture.md, "Terminals"). */
export interface TerminalOptions {
  maxEvents: number;
  maxTextBytes: number;
  listUpdate: 'replace' | 'deleteAndAppend';
  /** Legs that the terminal can show at once. */
  maxLegs: number;
  /** Speaks 2019 and still has what that edition withdrew: questions, event lists, info menus. */
  withdrawn?: boolean;
  /** Takes circles (0x8600): one for every queued order, and reports when it crosses them. */
  fences?: boolean;
  /** Vendor dialect by name; otherwise by what the registration says. */
  dialect?: DialectName;
  maker?: string;
  model?: string;
}

/** Last values that a terminal said beside its positions, by name (docs/decode-format.md, "Vendor values"). */
export interface Attributes {
  vehicleId: string;
  /** `at` is the terminal's time, ms UTC. */
  values: Record<string, { value: string | number | boolean | string[]; at: number }>;
}

/** An alarm bit that is set. */
export interface ActiveAlarm {
  bit: number;
  /** Of the standard's flags: `sos`, `overspeed`, … */
  name: string;
  /** By the terminal's clock, ms UTC. */
  since: number;
  place?: { lat: number; lon: number };
}

/** Alarms of one vehicle: only of those that ever had one. */
export interface Alarms {
  vehicleId: string;
  active: Record<string, ActiveAlarm>;
  /** The last alert for its SOS. */
  sosAlertId?: string;
}

/** Something that a terminal's camera or microphone took, as it was uploaded (JT/T 808, 0x0801). */
export interface Media {
  /** From its content: the same upload again is the same. */
  id: string;
  vehicleId: string;
  /** Name of the bytes in the store. */
  blob: string;
  bytes: number;
  kind: 'image' | 'audio' | 'video';
  /** Media type to serve it as, e.g. `image/jpeg`. */
  contentType: string;
  /** Id that the terminal gave it, its camera, and why it was taken. */
  mediaId: number;
  channel: number;
  event: string;
  /** By the terminal's clock; absent where it did not say. */
  takenAt?: number;
  receivedAt: number;
  place?: { lat: number; lon: number };
  /** The order on whose site the vehicle was when it was taken. */
  orderId?: string;
  leg?: number;
}

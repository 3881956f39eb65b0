/**
 * Vendor values (battery, voltages, temperatures, trouble codes, …) of locations, of batches and of private messages. Those
 * of locations are read now and then and not of every position: they change slowly, and a fleet's positions must stay cheap.
 * The dialect is the terminal's own: as stated on the vehicle, else by what its registration says.
 */
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { Terminal } from '../../dispatch/domain/model.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { dialectFor, dialectOf, locationBaseBytes, type Dialect, type Location } from '../../protocol/index.js';
import type { AttributeSample } from '../translate/translation.js';
import type { Edition } from '../session/link.js';

/** Values of one vehicle are read this often, ms of gateway time; of each kind of private message as well. */
const everyMs = 30_000;
/** The same where a location says nothing but what nearly every terminal adds: one document each would be written for it. */
const usualEveryMs = 300_000;
/** Satellites in use. */
const usual = 0x31;
/** Vehicles whose last sample is remembered; forgetting costs one more sample each. */
const vehiclesMax = 100_000;
/** Odometer, fuel, tachograph speed, crossing, radio signal: what the standard itself says. */
const plain = new Set([0x01, 0x02, 0x03, 0x12, 0x30]);
/** Body of a location: what every sample of one is, whichever message held it. */
const LOCATION = 0x0200;

/** Where a sample comes from. */
export interface SampledEntry {
  readonly vehicleId: string;
  readonly receivedAt: number;
  readonly edition: Edition;
}

type Sample = Omit<AttributeSample, 'origin'>;

/** Best location of a batch: the newest by its own time that says more than a position does. */
interface Newest {
  start: number;
  end: number;
  at: number;
}

export class AttributeSamples {
  readonly #sampledAt = new Map<string, number>();
  #newest: Newest | undefined;

  /** Copies the location in `bytes` when it is time and it says more than a position does. */
  sample(entry: SampledEntry, bytes: Uint8Array, location: Location): Sample | undefined {
    if (!this.#isWorth(entry, bytes, location)) return undefined;
    this.#taken(entry.vehicleId, entry.receivedAt);
    return locationSample(entry, bytes, rangeOf(location, entry.receivedAt));
  }

  /** Takes note of one location of a batch; {@link ofBatch} ends it. */
  inBatch(entry: SampledEntry, bytes: Uint8Array, location: Location): void {
    if (!this.#isWorth(entry, bytes, location)) return;
    const range = rangeOf(location, entry.receivedAt);
    if (this.#newest === undefined || range.at >= this.#newest.at) this.#newest = range;
  }

  /** One sample of a whole batch: values are kept by their time, and only the last of each name. */
  ofBatch(entry: SampledEntry, bytes: Uint8Array): Sample | undefined {
    const newest = this.#newest;
    this.#newest = undefined;
    if (newest === undefined) return undefined;
    this.#taken(entry.vehicleId, entry.receivedAt);
    return locationSample(entry, bytes, newest);
  }

  /** A message whose whole body may hold vendor values: passthrough, private ids. Copies the body. */
  ofMessage({ vehicleId, receivedAt, edition }: SampledEntry, messageId: number, body: Uint8Array): Sample | undefined {
    if (!this.isDueOf(messageId, { vehicleId, receivedAt })) return undefined;
    return { edition, at: receivedAt, messageId, body: Uint8Array.from(body) };
  }

  /** Whether it is time to read the values of a message that comes often; true counts as read. */
  isDueOf(messageId: number, { vehicleId, receivedAt }: { vehicleId: string; receivedAt: number }): boolean {
    const key = `${messageId}/${vehicleId}`;
    if (!this.#isDue(key, receivedAt)) return false;
    this.#taken(key, receivedAt);
    return true;
  }

  #isWorth({ vehicleId, receivedAt }: SampledEntry, bytes: Uint8Array, location: Location): boolean {
    const agoMs = this.#agoMs(vehicleId, receivedAt);
    return agoMs >= everyMs && saysMore(bytes, location.extrasStart, location.extrasEnd, agoMs >= usualEveryMs);
  }

  #isDue(key: string, receivedAt: number): boolean {
    return this.#agoMs(key, receivedAt) >= everyMs;
  }

  #agoMs(key: string, receivedAt: number): number {
    return receivedAt - (this.#sampledAt.get(key) ?? -Infinity);
  }

  #taken(key: string, receivedAt: number): void {
    if (this.#sampledAt.size >= vehiclesMax) this.#sampledAt.clear();
    this.#sampledAt.set(key, receivedAt);
  }
}

function rangeOf({ extrasStart, extrasEnd, deviceAt }: Location, receivedAt: number): Newest {
  return { start: extrasStart - locationBaseBytes, end: extrasEnd, at: Number.isNaN(deviceAt) ? receivedAt : deviceAt };
}

function locationSample({ edition }: SampledEntry, bytes: Uint8Array, { start, end, at }: Newest): Sample {
  return { edition, at, messageId: LOCATION, body: Uint8Array.from(bytes.subarray(start, end)) };
}

function saysMore(bytes: Uint8Array, start: number, end: number, withUsual: boolean): boolean {
  for (let at = start; at < end; at += 2 + bytes[at + 1]!) {
    const id = bytes[at]!;
    if (!plain.has(id) && (withUsual || id !== usual)) return true;
  }
  return false;
}

/** Reads the samples in their terminals' dialects. */
export async function readAttributes(
  dispatch: DispatchPort,
  samples: readonly AttributeSample[],
): Promise<TerminalReport[]> {
  const terminals = await dispatch.getMany(
    'terminal',
    samples.map(({ origin }) => origin.phone),
  );
  return samples.flatMap(({ origin, edition, at, messageId, body }, i) => {
    const ranges = messageId === LOCATION ? [[0, body.length] as const] : [];
    const { attributes = {} } = dialectOfTerminal(terminals[i]?.value).describe({ messageId }, body, ranges, edition);
    const values = Object.fromEntries(
      Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
    );
    if (Object.keys(values).length === 0) return [];
    return [{ ...origin, dedupKey: '', type: 'report.attributes', values, at }];
  });
}

function dialectOfTerminal(terminal: Terminal | undefined): Dialect {
  const { dialect, maker = terminal?.identity?.maker, model = terminal?.identity?.model } = terminal?.options ?? {};
  const stated = dialect === undefined ? undefined : dialectOf(dialect);
  return stated ?? dialectFor({ maker: maker ?? '', model: model ?? '' });
}

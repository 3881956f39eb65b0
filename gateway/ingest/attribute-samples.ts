/**
 * Vendor values of locations (battery, voltages, temperatures, …), read now and then and not of every position: they
 * change slowly, and a fleet's positions must stay cheap. The dialect is the terminal's own: as stated on the vehicle, else
 * by what its registration says.
 */
import type { TerminalReport } from '../../dispatch/domain/commands.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { dialectFor, dialects, type Frame, type Location } from '../../protocol/index.js';
import type { AttributeSample } from '../translate.js';
import type { GroupCursor } from './entry.js';

/** Values of one vehicle are read this often, ms of gateway time. */
const everyMs = 30_000;
/** Vehicles whose last sample is remembered; forgetting costs one more sample each. */
const vehiclesMax = 100_000;
/** Odometer, fuel, tachograph speed, crossing, radio signal: what the standard itself says. */
const plain = new Set([0x01, 0x02, 0x03, 0x12, 0x30]);

type Entry = Pick<GroupCursor, 'vehicleId' | 'receivedAt' | 'edition'>;

export class AttributeSamples {
  readonly #sampledAt = new Map<string, number>();

  /** Copies the location when it is time and it says more than a position does. */
  sample(entry: Entry, { bytes, bodyStart }: Frame, location: Location): Omit<AttributeSample, 'origin'> | undefined {
    const { vehicleId, receivedAt, edition } = entry;
    if (receivedAt - (this.#sampledAt.get(vehicleId) ?? -Infinity) < everyMs) return undefined;
    if (!saysMore(bytes, location.extrasStart, location.extrasEnd)) return undefined;
    if (this.#sampledAt.size >= vehiclesMax) this.#sampledAt.clear();
    this.#sampledAt.set(vehicleId, receivedAt);
    const at = Number.isNaN(location.deviceAt) ? receivedAt : location.deviceAt;
    return { edition, at, location: Uint8Array.from(bytes.subarray(bodyStart, location.extrasEnd)) };
  }
} // prettier-ignore

function saysMore(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at += 2 + bytes[at + 1]!) if (!plain.has(bytes[at]!)) return true;
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
  return samples.flatMap(({ origin, edition, at, location }, i) => {
    const terminal = terminals[i]?.value;
    const { maker = terminal?.identity?.maker, model = terminal?.identity?.model, dialect } = terminal?.options ?? {};
    const chosen = (dialect === undefined ? undefined : dialects[dialect]) ?? dialectFor({ maker: maker ?? '', model: model ?? '' });
    const read = Object.entries(chosen.readLocation(location, 0, location.length, edition));
    const values = Object.fromEntries(read.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
    if (Object.keys(values).length === 0) return [];
    return [{ ...origin, dedupKey: '', type: 'report.attributes', values, at }];
  });
} // prettier-ignore

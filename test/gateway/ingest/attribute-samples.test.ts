import { expect, test } from 'vitest';
import { AttributeSamples } from '../../../gateway/ingest/attribute-samples.js';
import { locationBaseBytes, Location, readLocation } from '../../../protocol/index.js';

const MINUTE = 60_000;
const base = Buffer.alloc(locationBaseBytes);
Buffer.from('260101080000', 'hex').copy(base, 22);
const satellites = Buffer.from('31010b', 'hex');
const voltage = Buffer.from('610204ce', 'hex');
const mileage = Buffer.from('010400001004', 'hex');

/** Times, ms, at which a vehicle that sends a location every ten seconds is sampled within ten minutes. */
function sampledAt(samples: AttributeSamples, ...items: Buffer[]): number[] {
  const bytes = Buffer.concat([base, ...items]);
  const location = new Location();
  expect(readLocation(bytes, 0, bytes.length, location)).toBe(true);
  const found: number[] = [];
  for (let receivedAt = 0; receivedAt < 10 * MINUTE; receivedAt += 10_000) {
    const entry = { vehicleId: 'v', receivedAt, edition: 2013 as const };
    if (samples.sample(entry, bytes, location)) found.push(receivedAt);
  }
  return found;
}

test('vendor values are read every half minute, with satellites beside them or without', () => {
  for (const items of [[voltage], [satellites, voltage], [voltage, satellites]]) {
    const times = sampledAt(new AttributeSamples(), ...items);
    expect(times).toEqual(Array.from({ length: 20 }, (_, i) => i * 30_000));
  }
});

test('satellites alone are read every five minutes, and nothing where a location says what is in its position', () => {
  expect(sampledAt(new AttributeSamples(), mileage, satellites)).toEqual([0, 5 * MINUTE]);
  expect(sampledAt(new AttributeSamples(), mileage)).toEqual([]);
});

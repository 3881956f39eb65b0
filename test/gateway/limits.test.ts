import { describe, expect, it } from 'vitest';
import { AddressLimits } from '../../gateway/address-limits.js';
import { ClockOffsets } from '../../gateway/ingest/clock-offsets.js';
import { defaultLimits } from '../../gateway/limits.js';
import { Frame, parseFrame } from '../../protocol/index.js';
import { frameOf } from './support/frames.js';

describe('what one address may open', () => {
  const limits = {
    ...defaultLimits,
    connections: 5,
    connectionsPerAddress: 3,
    unauthenticatedPerAddress: 2,
    connectsPerSecond: 1,
  };

  it('is bounded before authentication, by address and in all', () => {
    const addresses = new AddressLimits(limits);
    expect([addresses.accept('a', 0), addresses.accept('a', 0)]).toEqual([undefined, undefined]);
    expect(addresses.accept('a', 0)).toBe('tooManyUnauthenticated');
    addresses.authenticated('a');
    addresses.authenticated('a');
    expect(addresses.accept('a', 0)).toBeUndefined();
    addresses.authenticated('a');
    expect(addresses.accept('a', 0)).toBe('tooManyFromAddress');
    expect([addresses.accept('b', 0), addresses.accept('b', 0)]).toEqual([undefined, undefined]);
    expect(addresses.accept('c', 0)).toBe('tooManyConnections');
    addresses.closed('b', false);
    expect(addresses.accept('c', 0)).toBeUndefined();
    expect(addresses.open).toBe(5);
  });

  it('fills up again with time', () => {
    const addresses = new AddressLimits({
      ...limits,
      connections: 1_000,
      connectionsPerAddress: 1_000,
      unauthenticatedPerAddress: 1_000,
    });
    const burst = Array.from({ length: 11 }, () => addresses.accept('a', 0));
    expect(burst.filter((refusal) => refusal === 'tooFast')).toHaveLength(1);
    expect(addresses.accept('a', 999)).toBe('tooFast');
    expect(addresses.accept('a', 1_000)).toBeUndefined();
    expect(addresses.accept('a', 1_000)).toBe('tooFast');
  });

  it('forgets addresses that are gone when the table is full', () => {
    const addresses = new AddressLimits({ ...limits, addresses: 2 });
    addresses.accept('a', 0);
    addresses.accept('b', 0);
    expect(addresses.accept('c', 0)).toBe('tooManyConnections');
    addresses.closed('a', false);
    expect(addresses.accept('c', 5_000)).toBe('tooManyConnections');
    expect(addresses.accept('c', 10_001)).toBeUndefined();
  });
});

describe('the measured clock of a terminal', () => {
  // Without flags and checksum: as the reader has it.
  const wire = frameOf({ phone: '13800138000', edition: 2013 }, 0x0200, 1);
  const frame = parseFrame(wire.subarray(1, -2), 0, wire.length - 3, new Frame());
  const measure = (samples: [receivedAt: number, aheadMs: number][]): [string, number][] => {
    const told: [string, number][] = [];
    const offsets = new ClockOffsets((phone, ms) => told.push([phone, ms]));
    for (const [receivedAt, aheadMs] of samples) offsets.sample('v', frame, receivedAt + aheadMs, receivedAt);
    return told;
  };
  const every10s = (count: number, ahead: (i: number) => number): [number, number][] =>
    Array.from({ length: count }, (_, i) => [i * 10_000, ahead(i)]);

  it('is told once when it is off, whatever the radio delays', () => {
    const told = measure(every10s(60, (i) => 90_000 - (i % 4) * 700));
    expect(told).toEqual([['13800138000', 90_000]]);
  });

  it('is not told when it is right, nor while stored locations are sent late', () => {
    expect(measure(every10s(60, (i) => -300 - (i % 3) * 500))).toEqual([]);
    expect(measure(every10s(60, (i) => -3_600_000 + i * 60_000))).toEqual([]);
  });

  it('is told again when it was set right', () => {
    const told = measure(every10s(120, (i) => (i < 60 ? -120_000 : 0)));
    expect(told.map(([, ms]) => ms)).toEqual([-120_000, 0]);
  });

  it('ignores locations without a time', () => {
    const told = measure(every10s(60, () => NaN));
    expect(told).toEqual([]);
  });
});

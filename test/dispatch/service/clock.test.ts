import { describe, expect, it } from 'vitest';
import { ClockRateError, createClock, manualClock, openClock } from '../../../dispatch/clock.js';
import { memoryStore } from '../../../dispatch/store/memory.js';

/** A machine whose clocks are set by hand. */
function machine(wall = 1_000_000) {
  const state = { wall, steady: 0 };
  return {
    options: { wall: () => state.wall, steady: () => state.steady },
    pass: (ms: number) => {
      state.wall += ms;
      state.steady += ms;
    },
    set: (ms: number) => void (state.wall += ms),
  };
}

describe('gateway time', () => {
  const origin = { machineAt: 1_000_000, gatewayAt: 1_000_000 };

  it('runs N times as fast', () => {
    const m = machine();
    const clock = createClock({ rate: 10, origin, ...m.options });
    m.pass(500);
    expect(clock.now()).toBe(1_005_000);
  });
  it('goes on after a restart where the machine says it is', () => {
    const m = machine(1_060_000);
    expect(createClock({ rate: 10, origin, ...m.options }).now()).toBe(1_600_000);
  });
  it('never goes back when the machine’s clock is set back, and drifts to it slowly', () => {
    const m = machine();
    const clock = createClock({ rate: 1, origin, ...m.options });
    m.set(-60_000);
    let last = clock.now();
    expect(last).toBe(1_000_000);
    for (let i = 0; i < 60; i++) {
      m.pass(60_000);
      const now = clock.now();
      expect(now).toBeGreaterThan(last);
      last = now;
    }
    expect(last).toBe(1_000_000 + 60 * 60_000 - 60_000);
  });
  it('follows a machine that slept', () => {
    const m = machine();
    const clock = createClock({ rate: 1, origin, ...m.options });
    m.set(3_600_000);
    expect(clock.now()).toBe(4_600_000);
  });
  it('refuses a rate outside 1 to 60', () => {
    expect(() => createClock({ rate: 61, origin })).toThrow('1 to 60');
  });
  it('a store remembers its rate and refuses another', async () => {
    const store = memoryStore();
    const clock = await openClock(store, 10);
    expect(clock.rate).toBe(10);
    await expect(openClock(store, 1)).rejects.toThrow(ClockRateError);
    await expect(openClock(store, 1)).rejects.toThrow('LINECREW_CLOCK_RATE=10');
    const before = clock.now();
    // The wall clock counts whole ms: one of the machine's, ten of the gateway's.
    expect((await openClock(store, 10)).now()).toBeGreaterThanOrEqual(before - 10);
    await store.close();
  });
});

describe('a clock by hand', () => {
  it('calls what becomes due on the way, in order', () => {
    const clock = manualClock(0);
    const calls: [string, number][] = [];
    clock.after(30, () => calls.push(['once', clock.now()]));
    const every = clock.every(20, () => calls.push(['every', clock.now()]));
    clock.after(5, () => clock.after(5, () => calls.push(['nested', clock.now()])));
    const gone = clock.after(1, () => calls.push(['cancelled', clock.now()]));
    gone.cancel();
    gone.cancel();
    clock.advance(45);
    every.cancel();
    clock.advance(100);
    expect(calls).toEqual([
      ['nested', 10],
      ['every', 20],
      ['once', 30],
      ['every', 40],
    ]);
    expect(clock.now()).toBe(145);
  });
});

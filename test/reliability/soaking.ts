/** A gateway at a steady load for as long as wanted, looked at every so often: does anything only ever grow? */
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayProcess } from './gateway-process.js';
import { HonestFleet } from './honest.js';

export interface Sample {
  /** Since the load began. */
  seconds: number;
  /** All that is resident: the store's file, which is mapped into memory, is part of it and grows with what it holds. */
  rssMb: number;
  /** Without pages of files; the same as `rssMb` where the system does not tell them apart. */
  ownMb: number;
  heapMb: number;
  handles: number;
  p50Ms: number;
  p99Ms: number;
  confirmed: number;
}

export interface SoakOptions {
  seconds: number;
  terminals: number;
  /** One location of each terminal in this time, ms. */
  intervalMs: number;
  sampleSeconds: number;
  directory: string;
  sampled?: (sample: Sample) => void;
}

export interface Soaked {
  samples: Sample[];
  lost: number;
  unanswered: number;
}

const ORDER_EVERY_MS = 2_000;

export async function soak(options: SoakOptions): Promise<Soaked> {
  const { seconds, terminals, intervalMs, sampleSeconds, directory, sampled } = options;
  const gateway = await GatewayProcess.start(directory);
  try {
    for (let i = 0; i < terminals; i++) await gateway.addVehicle(HonestFleet.phoneOf(i), HonestFleet.phoneOf(i));
    const fleet = await HonestFleet.open(gateway.ports.tcp, terminals);
    fleet.start(intervalMs);
    const orders = setInterval(() => void newOrder(gateway).catch(() => {}), ORDER_EVERY_MS);
    const samples: Sample[] = [];
    const startedAt = performance.now();
    for (let next = sampleSeconds; next <= seconds; next += sampleSeconds) {
      await pause(startedAt + next * 1000 - performance.now());
      const { p50Ms, p99Ms, confirmed } = fleet.window();
      const metrics = await gateway.metrics();
      const of = (name: string): number => metrics.get(`linecrew_${name}`) ?? NaN;
      const rssMb = of('process_resident_memory_bytes') / 2 ** 20;
      const sample = {
        seconds: Math.round((performance.now() - startedAt) / 1000),
        rssMb,
        ownMb: gateway.ownMemoryMb() ?? rssMb,
        heapMb: of('nodejs_heap_size_used_bytes') / 2 ** 20,
        handles: of('nodejs_active_handles_total'),
        p50Ms,
        p99Ms,
        confirmed,
      };
      samples.push(sample);
      sampled?.(sample);
    }
    clearInterval(orders);
    await fleet.stop();
    return { samples, lost: fleet.window().lost, unanswered: fleet.unanswered };
  } finally {
    await gateway.stop();
  }
}

async function newOrder(gateway: GatewayProcess): Promise<void> {
  await gateway.ask('POST', '/orders', {
    customer: { name: 'Zhao', phone: '13900000000' },
    site: { lat: 31.2, lon: 121.4, address: 'Renmin Rd 1' },
    fault: { category: 'outage', voltage: 'low', description: 'soak' },
  });
}

export interface Trend {
  what: string;
  /** Typical value of the second and of the last quarter of the run. */
  early: number;
  late: number;
  /** What `late` may be at most, far above what the noise of such a run is. */
  bound: number;
  ok: boolean;
}

/** The first quarter is warm-up. Of the heap the lows count: between two collections it only ever grows. */
export function trends(samples: readonly Sample[]): Trend[] {
  const quarter = (n: number): readonly Sample[] =>
    samples.slice(Math.floor((samples.length * n) / 4), Math.max(1, Math.floor((samples.length * (n + 1)) / 4)));
  const low = (values: number[]): number => Math.min(...values);
  const middle = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] ?? NaN;
  const trend = (what: keyof Sample, pick: (values: number[]) => number, bound: (early: number) => number): Trend => {
    const early = pick(quarter(1).map((sample) => sample[what]));
    const late = pick(quarter(3).map((sample) => sample[what]));
    return { what, early, late, bound: bound(early), ok: late <= bound(early) };
  };
  return [
    trend('heapMb', low, (early) => early * 1.5 + 20),
    trend('ownMb', middle, (early) => early * 1.5 + 60),
    trend('handles', middle, (early) => early + 10),
    trend('p99Ms', middle, (early) => early * 5 + 500),
  ];
}

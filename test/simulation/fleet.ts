import type { Command } from '../../dispatch/domain/commands.js';
import { radioByName, type Random } from '../../simulator/index.js';
import { Radio } from '../../simulator/radio.js';
import type { Account } from './account.js';
import type { Door } from './network.js';
import type { SimTime } from './time.js';
import { SimTruck, type TruckSpec } from './truck.js';

/** Kinds of terminals; a world has some that stand beside each other here. */
const kinds: readonly Pick<TruckSpec, 'profile' | 'edition'>[] = [
  { profile: 'smart', edition: 2013 },
  { profile: 'smart', edition: 2019 },
  { profile: 'menu', edition: 2013 },
  { profile: 'menu', edition: 2011 },
  { profile: 'text', edition: 2019 },
  { profile: 'mqtt', edition: 2019 },
  { profile: 'tracker', edition: 2013 },
];
const mostTrucks = 5;

/** What the trucks of a world meet. */
export interface Surroundings {
  time: SimTime;
  account: Account;
  centre: string;
  /** A gateway that takes connections. */
  door(random: Random): Door | undefined;
  /** Where the order with this number is. */
  siteOf(number: string): { lat: number; lon: number } | undefined;
  command(command: Command): Promise<void>;
}

/** Puts vehicles on file, one after the other, each with a terminal behind a radio of its own. */
export async function enrol(random: Random, around: Surroundings, trucks: SimTruck[]): Promise<void> {
  const draw = random.stream('fleet');
  const [size, first] = [draw.int(2, mostTrucks), draw.int(0, kinds.length - 1)];
  for (let i = 0; i < size; i++) {
    const kind = kinds[(first + i) % kinds.length]!;
    const phone = `1380000000${i + 1}`;
    const vehicleId = `v${i + 1}`;
    const secret = `secret-of-${phone}`;
    await around.command({
      type: 'vehicle.create',
      id: vehicleId,
      plate: `京A000${i + 1}`,
      terminal: { phone, profile: kind.profile, ...(kind.profile === 'mqtt' ? { secret } : {}) },
      crew: { name: `crew ${i + 1}`, members: [{ name: 'A' }] },
      repairCentreId: around.centre,
      trade: 'lowVoltage',
    });
    trucks.push(truckOf({ ...kind, phone, vehicleId, secret }, random.stream(vehicleId), around));
  }
}

function truckOf(spec: TruckSpec, random: Random, { time, account, door, siteOf }: Surroundings): SimTruck {
  const doors = random.stream('doors');
  const conditions = {
    ...radioByName[random.pick(['city', 'bad', 'awful'] as const)],
    outagesPerHour: random.pick([0, 10, 40]),
    natTimeoutMs: 0,
  };
  const radio = new Radio(conditions, random.stream('radio'), time.now());
  return new SimTruck(spec, time, random, radio, () => door(doors), account.note, siteOf);
}

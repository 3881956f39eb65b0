import type { Edition } from '../protocol/index.js';
import type { City } from './city.js';
import type { Place } from './geo.js';
import { Random } from './random.js';
import type { Profile } from './terminal/types.js';

/** One vehicle of a fleet: everything that must be known about it before it connects. */
export interface RosterEntry {
  phone: string;
  plate: string;
  profile: Profile;
  /** Header and bodies of the terminal; without meaning for `mqtt`. */
  edition: Edition;
  maker: string;
  model: string;
  terminalId: string;
  imei: string;
  /** MQTT password. */
  secret: string;
  crew: { name: string; members: { name: string; phone: string }[] };
  trade: string;
  start?: Place;
  /** Id at the gateway's API, once it is known. */
  vehicleId?: string;
}

export interface RosterOptions {
  seed: string | number;
  count: number;
  profile: Profile | 'mixed';
  edition: Edition | 'mixed' | undefined;
  trades: readonly string[];
  /** Allows `mqtt` in a mixed fleet. */
  mqtt: boolean;
  city: City;
}

const familyNames = '王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗';
const givenNames = '伟强磊军勇杰涛明超刚平辉鹏华飞鑫波斌宇浩';
/** A mixed fleet, as it is found in the field, per hundred. */
const mixed: readonly (readonly [Profile, number])[] = [
  ['smart', 40],
  ['menu', 30],
  ['text', 10],
  ['tracker', 8],
  ['mqtt', 12],
];

/** The vehicles of this seed: the same every time, so that a second run meets the vehicles of the first. */
export function makeRoster(options: RosterOptions): RosterEntry[] {
  const all = new Random(options.seed).stream('roster');
  // Two digits of the seed keep fleets of different seeds on one gateway apart.
  const block = String(all.int(0, 9999)).padStart(4, '0');
  return Array.from({ length: options.count }, (_, index) => {
    const random = all.stream(index);
    const profile = options.profile === 'mixed' ? drawProfile(random, options.mqtt) : options.profile;
    const number = String(index + 1).padStart(5, '0');
    return {
      phone: `13${block}${number}`,
      plate: `京A${random.hex(1).toUpperCase()}${String(index + 1).padStart(4, '0')}`,
      profile,
      edition: editionOf(profile, options.edition, random),
      maker: 'LCSIM',
      model: `SIM-${profile}`.slice(0, 8),
      terminalId: `S${block.slice(0, 1)}${number}`,
      imei: `86${block}${number.padStart(9, '0')}`,
      secret: random.hex(24),
      crew: { name: `抢修${index + 1}班`, members: [person(random), person(random)] },
      trade: options.trades[index % options.trades.length] ?? 'lowVoltage',
      start: options.city.randomAddress(random.stream('start')).place,
    };
  });
}

function drawProfile(random: Random, mqtt: boolean): Profile {
  const choices = mqtt ? mixed : mixed.filter(([profile]) => profile !== 'mqtt');
  let at = random.between(
    0,
    choices.reduce((sum, [, part]) => sum + part, 0),
  );
  for (const [profile, part] of choices) {
    at -= part;
    if (at < 0) return profile;
  }
  return 'smart';
}

/** Unless one is given: the editions in which terminals of this profile are really found. */
function editionOf(profile: Profile, wanted: Edition | 'mixed' | undefined, random: Random): Edition {
  if (wanted !== undefined && wanted !== 'mixed') return wanted;
  if (wanted === undefined) return profile === 'text' ? 2019 : 2013;
  switch (profile) {
    case 'menu':
      return random.pick([2011, 2013]);
    case 'text':
      return 2019;
    default:
      return random.pick([2011, 2013, 2019]);
  }
}

function person(random: Random): { name: string; phone: string } {
  return {
    name: random.pick([...familyNames]) + random.pick([...givenNames]),
    phone: `13${String(random.int(0, 999_999_999)).padStart(9, '0')}`,
  };
}

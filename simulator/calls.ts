import type { City } from './city.js';
import type { Place } from './geo.js';
import type { Random } from './random.js';

/** One report of a customer, as the call centre writes it down. */
export interface Call {
  customer: { name: string; phone: string };
  site: { lat: number; lon: number; address: string };
  fault: { category: string; voltage: 'low' | '10kV' | 'other'; description: string };
  priority: 'normal' | 'urgent';
}

export interface CallPattern {
  /** Calls per hour of gateway time. */
  perHour: number;
  /** Part of the calls that are urgent, 0 to 1. */
  urgentPart: number;
  /** Orders are made around this place; undefined: anywhere in the city. */
  around?: Place;
  /** Metres around it. */
  radiusM?: number;
  /** Minutes after the start in which calls come; undefined: all the time. */
  fromMin?: number;
  toMin?: number;
}

const faults = [
  ['lowVoltage', 'low', ['家中停电', '楼道半数住户无电', '电压不稳，灯光忽明忽暗', '空开合不上']],
  ['serviceDrop', 'low', ['接户线冒火花', '接户线被树枝压低', '进户线脱落']],
  ['meter', 'low', ['电表无显示', '电表箱冒烟', '表后跳闸']],
  ['line10kV', '10kV', ['线路断线落地', '整片小区停电', '杆上设备放电声']],
  ['transformer', '10kV', ['变压器异响', '配变缺相', '配电箱有焦味']],
] as const;
const surnames = '赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨';

/** Draws one call. The address is one of the city, so that a crew which reads only text still finds it. */
export function drawCall(city: City, pattern: CallPattern, random: Random): Call {
  let address = city.randomAddress(random);
  if (pattern.around !== undefined) {
    const middle = city.projection.toPoint(pattern.around);
    const radius = pattern.radiusM ?? 1500;
    // The city is a grid: a few draws find a house within the circle; if none does, the nearest drawn one is taken.
    let best = Infinity;
    for (let i = 0; i < 40 && best > radius; i++) {
      const one = city.randomAddress(random);
      const distance = Math.hypot(one.point.x - middle.x, one.point.y - middle.y);
      if (distance < best) [best, address] = [distance, one];
    }
  }
  const [category, voltage, words] = random.pick(faults);
  return {
    customer: {
      name: `${random.pick([...surnames])}${random.chance(0.5) ? '先生' : '女士'}`,
      phone: `15${String(random.int(0, 999_999_999)).padStart(9, '0')}`,
    },
    site: { lat: round6(address.place.lat), lon: round6(address.place.lon), address: address.text },
    fault: { category, voltage, description: random.pick(words) },
    priority: random.chance(pattern.urgentPart) ? 'urgent' : 'normal',
  };
}

/** Waiting time to the next call, ms of gateway time. */
export function nextCallMs(pattern: CallPattern, random: Random): number {
  return random.exponential(3_600_000 / Math.max(pattern.perHour, 1e-6));
}

function round6(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** Who repairs what (domain.md): the first rule that matches names the kind of unit; the table is configuration. */
import type { Order, Voltage } from './model.js';

export interface RoutingRule {
  /** Name of the rule, shown to people. */
  name: string;
  /** Empty or absent = any. */
  categories?: string[];
  voltages?: Voltage[];
  areas?: string[];
  unitKind: string;
  /** Where the kind alone does not say which centre. */
  repairCentreId?: string;
}

/** The table of domain.md as it comes with a new store. */
export const DEFAULT_ROUTING: readonly RoutingRule[] = [
  {
    name: 'service drop and household meter',
    categories: ['serviceDrop', 'meter'],
    voltages: ['low'],
    unitKind: 'communityStation',
  },
  { name: '10 kV of the regional network', voltages: ['10kV'], areas: ['regional'], unitKind: 'emergencySquad' },
  {
    name: '10 kV and below in the suburbs',
    voltages: ['10kV', 'low'],
    areas: ['suburban'],
    unitKind: 'suburbanStation',
  },
  { name: 'low voltage in the city', voltages: ['low'], areas: ['city'], unitKind: 'cityStation' },
  { name: 'low voltage, area not given', voltages: ['low'], areas: [''], unitKind: 'cityStation' },
  { name: '10 kV, area not given', voltages: ['10kV'], areas: [''], unitKind: 'emergencySquad' },
];

const matches = <T>(wanted: readonly T[] | undefined, value: T): boolean =>
  !wanted || wanted.length === 0 || wanted.includes(value);

/** The first rule that fits, or undefined: then the order goes to the call centre's attention list. */
export function route(order: Pick<Order, 'fault' | 'area'>, rules: readonly RoutingRule[]): RoutingRule | undefined {
  return rules.find(
    (rule) =>
      matches(rule.categories, order.fault.category) &&
      matches(rule.voltages, order.fault.voltage) &&
      matches(rule.areas, order.area ?? ''),
  );
}

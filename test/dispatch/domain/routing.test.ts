import { describe, expect, it } from 'vitest';
import type { Voltage } from '../../../dispatch/domain/model.js';
import { DEFAULT_ROUTING, route } from '../../../dispatch/domain/routing.js';

const order = (category: string, voltage: Voltage, area?: string) => ({
  fault: { category, voltage, description: '' },
  ...(area === undefined ? {} : { area }),
});
const kindOf = (...of: Parameters<typeof order>): string | undefined => route(order(...of), DEFAULT_ROUTING)?.unitKind;

describe('Who repairs what', () => {
  it.each([
    ['city power-supply station: low-voltage network in its area', 'lowVoltage', 'low', 'city', 'cityStation'],
    ['suburban power-supply station: 10 kV in its area', 'line10kV', '10kV', 'suburban', 'suburbanStation'],
    ['suburban power-supply station: and below', 'lowVoltage', 'low', 'suburban', 'suburbanStation'],
    ['community service station: service drop', 'serviceDrop', 'low', 'city', 'communityStation'],
    ['community service station: household meter', 'meter', 'low', 'suburban', 'communityStation'],
    ['emergency repair squad: 10 kV of the regional network', 'line10kV', '10kV', 'regional', 'emergencySquad'],
  ] as const)('%s', (_row, category, voltage, area, unit) => {
    expect(kindOf(category, voltage, area)).toBe(unit);
  });

  it('an order that fits no rule fits none', () => {
    expect(kindOf('outage', 'other')).toBeUndefined();
    expect(kindOf('line10kV', '10kV', 'city')).toBeUndefined();
  });

  it('the first match wins', () => {
    const any = { name: 'all', unitKind: 'all' };
    const meters = { name: 'meters', categories: ['meter'], unitKind: 'meters' };
    expect(route(order('meter', 'low'), [meters, any])?.unitKind).toBe('meters');
    expect(route(order('meter', 'low'), [any, meters])?.unitKind).toBe('all');
    expect(route(order('outage', 'low'), [meters, { ...any, categories: [], areas: [] }])?.unitKind).toBe('all');
  });
});

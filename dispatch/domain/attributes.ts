/**
 * What a terminal says about itself and the vehicle beside positions: battery, supply voltage, temperatures, locks. The
 * last value of each name is kept; it is a reading, not a change of state, so it makes no event.
 */
import type { Appliers } from './tables.js';

/** Names kept of one vehicle: the largest boxes say about forty; the ones not heard of for longest make room. */
export const ATTRIBUTES_KEPT = 100;

export const attributeAppliers: Appliers = {
  'report.attributes': (tx, { vehicleId, values, at }) => {
    if (!tx.get('vehicle', vehicleId)) return;
    const before = tx.get('attributes', vehicleId)?.values ?? {};
    const all = { ...before };
    for (const [name, value] of Object.entries(values)) {
      if ((all[name]?.at ?? -Infinity) <= at) all[name] = { value, at };
    }
    const kept = Object.entries(all)
      .sort(([, a], [, b]) => b.at - a.at)
      .slice(0, ATTRIBUTES_KEPT);
    tx.keep('attributes', vehicleId, { vehicleId, values: Object.fromEntries(kept.sort(([a], [b]) => (a < b ? -1 : 1))) });
  },
}; // prettier-ignore

/** Vehicles that the benchmarks put on file. */
import type { CommandOf } from '../../dispatch/domain/tables.js';
import type { DispatchPort } from '../../dispatch/ports.js';

/** All of one repair centre and trade, which is the hardest for the rules of breaks. */
type Given = Pick<CommandOf<'vehicle.create'>, 'id' | 'plate' | 'terminal'>;

const operator = { source: 'api', name: 'bench', roles: ['administrator'] } as const;
const common = { crew: { name: 'crew', members: [] }, repairCentreId: 'centre-1', trade: 'lowVoltage' };
const perCommit = 100;

/** @param vehicle gives the vehicle of a number from 0 */
export async function putVehicles(
  dispatch: Pick<DispatchPort, 'executeAll'>,
  count: number,
  vehicle: (index: number) => Given,
): Promise<void> {
  for (let at = 0; at < count; at += perCommit) {
    const some = Array.from({ length: Math.min(perCommit, count - at) }, (_, i) => vehicle(at + i));
    const commands = some.map((given) => ({ type: 'vehicle.create' as const, ...common, ...given }));
    await dispatch.executeAll(commands, operator);
  }
}

/** Open enrolment: a terminal that nobody has filed becomes a vehicle that a person has to confirm. */
import { raiseCard } from './cards.js';
import { createVehicle, FIRST_CENTRE } from './organisation.js';
import type { CommandOf } from './tables.js';
import type { Tx } from './tx.js';

type Unknown = Pick<CommandOf<'link.register'>, 'phone' | 'plate' | 'identity'>;

/** Files the vehicle in the first repair centre, with what its registration says about it. */
export function enrol(tx: Tx, { phone, plate, identity }: Unknown): void {
  const shown = plate || phone;
  const { vehicleId } = createVehicle(tx, {
    plate: shown,
    terminal: { phone },
    repairCentreId: FIRST_CENTRE,
    trade: tx.settings.trades[0]!,
    crew: { name: shown, members: [] },
    toBeConfirmed: true,
  });
  raiseCard(tx, {
    id: `enrolled:${phone}`,
    kind: 'attention',
    code: 'toBeConfirmed',
    message: `terminal ${phone} came by itself and is now vehicle ${shown}: check it and complete its file`,
    vehicleId,
    choices: ['seen'],
    data: { phone, identity },
  });
}

import type { RosterEntry } from '../roster.js';
import { ApiError, type Api } from './api.js';

/** Requests at the same time. */
const parallel = 8;

/**
 * Puts the vehicles on file and notes their ids in the roster. A vehicle that is there already, from an earlier run
 * with the same seed, is used as it is; its profile is set again.
 * @throws ApiError when the API refuses for another reason
 */
export async function enrol(api: Api, roster: readonly RosterEntry[], repairCentreId: string): Promise<void> {
  const queue = roster.filter((entry) => entry.vehicleId === undefined);
  const workers = Array.from({ length: parallel }, async () => {
    for (let entry = queue.pop(); entry !== undefined; entry = queue.pop()) await enrolOne(api, entry, repairCentreId);
  });
  await Promise.all(workers);
}

async function enrolOne(api: Api, entry: RosterEntry, repairCentreId: string): Promise<void> {
  const id = `sim-${entry.phone}`;
  const { phone, profile, secret } = entry;
  const terminal = profile === 'mqtt' ? { phone, profile, secret } : { phone, profile };
  try {
    const made = await api.post<{ id: string }>('/vehicles', {
      id,
      plate: entry.plate,
      terminal,
      repairCentreId,
      trade: entry.trade,
      crew: entry.crew,
      sharesOffice: true,
    });
    entry.vehicleId = made.id;
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const known = await api.get<{ id: string }>(`/vehicles/${id}`);
    await api.patch(`/vehicles/${id}`, { terminal });
    entry.vehicleId = known.id;
  }
}

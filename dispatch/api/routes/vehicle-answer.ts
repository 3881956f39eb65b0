import type { DispatchPort } from '../../ports.js';
import { vehicleViews } from '../../views/vehicle.js';
import type { Guard } from '../guard.js';
import { etagOf } from '../http/etag.js';
import { Answer } from '../http/route.js';

export interface AnswerExtras {
  status?: number;
  headers?: Record<string, string>;
  /** Beside what a vehicle always shows. */
  more?: object;
}

/** The vehicle as it is now, with its version as ETag. */
export async function vehicleAnswer(
  dispatch: DispatchPort,
  guard: Guard,
  vehicleId: string,
  { status = 200, headers = {}, more = {} }: AnswerExtras = {},
): Promise<Answer> {
  const found = await guard.read('vehicle.read', 'vehicle', vehicleId);
  const [json] = await vehicleViews(dispatch, [found]);
  return new Answer(status, { ...json, ...more }, { ...headers, etag: etagOf(found.version) });
}

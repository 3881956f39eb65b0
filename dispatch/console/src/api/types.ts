/** JSON of the API, as its schemas give it (contract.md, HTTP). Times are ISO 8601 UTC. Types only: nothing is bundled. */
import type { z } from 'zod';
import type { alert, card, event } from '../../../api/schemas/event.js';
import type { candidate, order, segment } from '../../../api/schemas/order.js';
import type { area } from '../../../api/routes/vehicle-areas.js';
import type { delivery, positionJson, queue, vehicle } from '../../../api/schemas/vehicle.js';
import type { Person, RepairCentre } from '../../../domain/model.js';
import type { Role } from '../../../domain/events.js';

export type { LegState, Point, Stage } from '../../../domain/model.js';
export type { Role };

export type EventJson = z.output<typeof event> & { data: Record<string, unknown> };
export type AlertJson = Omit<z.output<typeof alert>, 'told'> & {
  told: { level: string; name?: string; phone?: string }[];
};
export type CardJson = z.output<typeof card>;
export type SegmentJson = z.output<typeof segment>;
/** `cycles` and `events` come with a single order only. */
export type OrderJson = Omit<z.output<typeof order>, 'cycles' | 'events'> & {
  cycles?: z.output<typeof order>['cycles'];
  events?: EventJson[];
};
export type LegJson = OrderJson['legs'][number];
export type CandidateJson = z.output<typeof candidate> & {
  etaMs?: number | null;
  distanceM?: number | null;
  queueLength?: number;
};
export type PositionJson = z.output<typeof positionJson>;
export type VehicleJson = Omit<z.output<typeof vehicle>, 'crew'> & {
  crew: { name: string; members: Person[]; managers?: Person[] };
};
export type TerminalAreaJson = z.output<typeof area>;
export type QueueJson = z.output<typeof queue>;
export type DeliveryJson = z.output<typeof delivery>;
export type CentreJson = Partial<RepairCentre> & { id: string; name: string };

export interface MeJson {
  name: string;
  fullName?: string;
  roles: Role[];
  centres?: string[];
  vehicleId?: string;
  csrf?: string;
  /** Gateway time, and how fast it runs. */
  now: string;
  clockRate: number;
}

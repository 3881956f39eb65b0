/** Dispatch as one principal may use it: rights and scope are checked here, for every command and every read. */
import type { Command } from '../domain/commands.js';
import type { Alert, Card, Docs, Order, Vehicle } from '../domain/model.js';
import type { StoredEvent } from '../domain/events.js';
import type { CommandOptions, CommandOutcome, DispatchPort, Versioned } from '../ports.js';
import { asCrewOnly, inScope, mayDo, whereaboutsOf, type Action, type Principal, type Whereabouts } from '../rights.js';
import { Problem } from './http/problem.js';

/** Kinds whose place is known from the document, and the name that a person knows them by. */
const NAMES = {
  order: 'order',
  vehicle: 'vehicle',
  alert: 'alert',
  card: 'card',
  centre: 'repair centre',
  unit: 'unit',
} as const;
type Guarded = keyof typeof NAMES;

export class Guard {
  constructor(
    readonly dispatch: DispatchPort,
    readonly principal: Principal,
  ) {}

  /** @throws {Problem} `notAllowed` unless roles and scopes allow it */
  must(action: Action): void {
    if (mayDo(this.principal, action)) return;
    throw new Problem('notAllowed', `${this.principal.name} may not ${action}`, { details: { action } });
  }

  /** True where the principal sees everything that the action is about, so that no document need be looked at. */
  seesAll(action: Action): boolean {
    return this.principal.centres === undefined && !asCrewOnly(this.principal, action);
  }

  sees(action: Action, where: Whereabouts): boolean {
    return inScope(this.principal, action, where);
  }
  seesOrder(action: Action, order: Order): boolean {
    return inScope(this.principal, action, whereaboutsOf(order));
  }
  seesVehicle(action: Action, vehicle: Vehicle): boolean {
    return inScope(this.principal, action, { centreId: vehicle.repairCentreId, vehicleIds: [vehicle.id] });
  }

  /**
   * The document, where it exists and lies in scope; what lies elsewhere is as if it did not exist.
   * @throws {Problem} `notFound`
   */
  async read<K extends Guarded>(action: Action, kind: K, id: string): Promise<Versioned<K>> {
    this.must(action);
    const found = await this.dispatch.get(kind, id);
    if (!found || !(await this.#inScope(action, kind, found.value))) {
      throw new Problem('notFound', `there is no ${NAMES[kind]} "${id}"`);
    }
    return found;
  }

  /**
   * Gives the command in the principal's name.
   * @throws {Problem} where the rights or the scope do not allow it
   * @throws {Refusal} of the rules
   */
  async execute(command: Command, options?: CommandOptions): Promise<CommandOutcome> {
    this.must(command.type);
    if (!this.seesAll(command.type)) await this.#checkNamed(command);
    return this.dispatch.execute(command, this.actor(), options);
  }

  /** As `execute`, for a step of an order: a crew's step is about the leg on its own vehicle. */
  async step(command: Command & { orderId: string; leg?: number }, options?: CommandOptions): Promise<CommandOutcome> {
    if (asCrewOnly(this.principal, command.type)) {
      const { value: order } = await this.read('order.read', 'order', command.orderId);
      return this.execute({ ...command, leg: this.#ownLeg(order, command.leg) } as Command, options);
    }
    return this.execute(command, options);
  }

  actor(): Principal {
    return this.principal;
  }

  /** Whether the event may be told: by its centre and vehicle; what belongs to no centre is the call centre's. */
  async seesEvent(action: Action, event: StoredEvent): Promise<boolean> {
    if (this.seesAll(action)) return true;
    if (asCrewOnly(this.principal, action) && event.vehicleId !== undefined) {
      return inScope(this.principal, action, { vehicleIds: [event.vehicleId] });
    }
    if (event.centreId !== undefined && this.principal.centres?.includes(event.centreId)) return true;
    if (event.orderId !== undefined) {
      const order = await this.dispatch.get('order', event.orderId);
      if (order) return this.seesOrder(action, order.value);
    }
    if (event.vehicleId === undefined) return false;
    const vehicle = await this.dispatch.get('vehicle', event.vehicleId);
    return vehicle !== undefined && this.seesVehicle(action, vehicle.value);
  }

  #ownLeg(order: Order, asked: number | undefined): number {
    const own = order.legs.filter((leg) => leg.vehicleId === this.principal.vehicleId);
    const chosen =
      asked === undefined
        ? (own.findLast((leg) => leg.endedAt === undefined) ?? own.at(-1))
        : own.find((leg) => leg.leg === asked);
    if (!chosen) throw new Problem('notAllowed', `leg ${asked} of order ${order.number} is another crew's`);
    return chosen.leg;
  }

  /** Every document that the command names must lie in scope. */
  async #checkNamed(command: Command): Promise<void> {
    const named = command as Command & Record<string, unknown>;
    const text = (key: string): string | undefined => (typeof named[key] === 'string' ? named[key] : undefined);
    for (const [key, kind] of NAMED) {
      const id = text(key);
      if (id !== undefined) await this.#mustSee(command.type, kind, id);
    }
    const centreId = text('repairCentreId');
    if (centreId !== undefined) this.#mustBeOwnCentre(command.type, centreId);
    if (command.type === 'centre.put') this.#mustBeOwnCentre(command.type, command.centre.id);
    if (command.type === 'unit.put') await this.#checkUnit(command.unit);
    if (command.type === 'vehicle.edit' && command.changes.repairCentreId !== undefined) {
      this.#mustBeOwnCentre(command.type, command.changes.repairCentreId);
    }
    if (command.type === 'rules.put') throw new Problem('notAllowed', 'the rules belong to all repair centres');
    const phone = text('phone');
    if (phone !== undefined) {
      const terminal = await this.dispatch.get('terminal', phone);
      await this.#mustSee(command.type, 'vehicle', terminal?.value.vehicleId ?? '');
    }
  }

  async #checkUnit(unit: Partial<Docs['unit']> & { id: string }): Promise<void> {
    const present = await this.dispatch.get('unit', unit.id);
    if (present) this.#mustBeOwnCentre('unit.put', present.value.repairCentreId ?? '');
    if (!present || unit.repairCentreId !== undefined) this.#mustBeOwnCentre('unit.put', unit.repairCentreId ?? '');
  }

  #mustBeOwnCentre(action: Action, centreId: string): void {
    if (inScope(this.principal, action, { centreId })) return;
    throw new Problem('notAllowed', `repair centre "${centreId}" is not one of yours`, {
      details: { centres: [...(this.principal.centres ?? [])] },
    });
  }

  async #mustSee(action: Action, kind: Guarded, id: string): Promise<void> {
    const found = await this.dispatch.get(kind, id);
    if (found && (await this.#inScope(action, kind, found.value))) return;
    throw new Problem('notFound', `there is no ${NAMES[kind]} "${id}"`);
  }

  async #inScope(action: Action, kind: Guarded, value: Docs[Guarded]): Promise<boolean> {
    if (this.seesAll(action)) return true;
    switch (kind) {
      case 'order':
        return this.seesOrder(action, value as Order);
      case 'vehicle':
        return this.seesVehicle(action, value as Vehicle);
      case 'alert':
      case 'card':
        return this.seesNotice(action, value as Alert | Card);
      case 'unit':
        return inScope(this.principal, action, { centreId: (value as Docs['unit']).repairCentreId });
      case 'centre':
        return inScope(this.principal, action, { centreId: (value as Docs['centre']).id });
    }
  }

  /** Alerts and cards: by their centre, else by the vehicle or order that they are about. */
  async seesNotice(action: Action, notice: Alert | Card): Promise<boolean> {
    if (this.seesAll(action)) return true;
    if (notice.centreId !== undefined) return inScope(this.principal, action, { centreId: notice.centreId });
    if (notice.vehicleId !== undefined) {
      const vehicle = await this.dispatch.get('vehicle', notice.vehicleId);
      return vehicle !== undefined && this.seesVehicle(action, vehicle.value);
    }
    if (notice.orderId === undefined) return false;
    const order = await this.dispatch.get('order', notice.orderId);
    return order !== undefined && this.seesOrder(action, order.value);
  }
}

/** Keys of commands that name a document. */
const NAMED: readonly (readonly [key: string, kind: Guarded])[] = [
  ['orderId', 'order'],
  ['into', 'order'],
  ['vehicleId', 'vehicle'],
  ['alertId', 'alert'],
  ['cardId', 'card'],
];

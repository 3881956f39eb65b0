/**
 * Versions of the product with one deliberate mistake each, and a seed of the simulation that catches it: the proof that
 * the simulation bites. `find` must stand exactly once in the file; when the code has moved on, the list says so.
 */
export interface Mutant {
  name: string;
  file: string;
  find: string;
  replace: string;
  /** A seed that catches it. */
  seed: number;
  /** A word of the fault that is reported. */
  caughtBy: RegExp;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'confirms what could not be stored',
    file: 'gateway/ingest/committer.ts',
    find: 'this.#tell(group, failure === undefined, endedAt);',
    replace: 'this.#tell(group, true, endedAt);',
    seed: 14,
    caughtBy: /confirmed position .* in the track 0 times|left no trace/,
  },
  {
    name: 'an assigned order can be assigned again',
    file: 'dispatch/domain/assignment.ts',
    find: `    const open = effectiveOpenLeg(order);
    if (open) {
      throw new Refusal(
        'alreadyAssigned',`,
    replace: `    const open = effectiveOpenLeg(order);
    if (open && command.vehicleId === '') {
      throw new Refusal(
        'alreadyAssigned',`,
    seed: 3,
    caughtBy: /effective legs/,
  },
  {
    name: 'a changed queue keeps its revision',
    file: 'dispatch/domain/queue.ts',
    find: 'revision: vehicle.queue.revision + (raise ? 1 : 0)',
    replace: 'revision: Math.max(1, vehicle.queue.revision)',
    seed: 13,
    caughtBy: /shows|still|confirmed/,
  },
  {
    name: 'the list goes out in the wrong order',
    file: 'dispatch/domain/delivery-plan.ts',
    find: '  return snapshotLegs({ open, terminal }).map(({ orderId, leg, record }) => ({',
    replace: '  return [...snapshotLegs({ open, terminal })].reverse().map(({ orderId, leg, record }) => ({',
    seed: 5,
    caughtBy: /shows/,
  },
  {
    name: 'recalls are not sent',
    file: 'dispatch/domain/delivery-plan.ts',
    find: '  queueRecalls(tx, view, options);',
    replace: '',
    seed: 11,
    caughtBy: /shows|still/,
  },
  {
    name: 'the idempotency key is not stored with the command',
    file: 'dispatch/service.ts',
    find: 'return { batch: { ...batch, idempotency: { key: idempotencyKey, result, keepMs: IDEMPOTENCY_KEPT_MS } }, result };',
    replace: 'return { batch, result };',
    seed: 14,
    caughtBy: /orders are in the log/,
  },
  {
    name: 'a report that was applied before is applied again',
    file: 'dispatch/reports.ts',
    find: '  if (seen.includes(report.dedupKey)) return false;',
    replace: '',
    seed: 66,
    caughtBy: /claimed \d+ times/,
  },
  {
    name: 'the log position is stored without some of its positions',
    file: 'dispatch/service.ts',
    find: 'return { batch: { ...work.batch(), positions, applied }, result: {} };',
    replace:
      'return { batch: { ...work.batch(), ...(applied.sequence % 7 === 0 ? {} : { positions }), applied }, result: {} };',
    seed: 1,
    caughtBy: /track 0 times/,
  },
  {
    name: 'what a terminal says it holds is only ever added to what is known',
    file: 'dispatch/domain/delivery-answers.ts',
    find: 'const data: OutboxHeld = { held, replace: true };',
    replace: 'const data: OutboxHeld = { held };',
    seed: 15,
    caughtBy: /shows|confirmed|still/,
  },
  {
    name: 'a position that comes again is kept again',
    file: 'dispatch/store/track-block.ts',
    find: '    if (order === 0) {',
    replace: '    if (order === 0 && i < 0) {',
    seed: 1,
    caughtBy: /track \d+ times/,
  },
  {
    name: 'an alert is raised again each time that there is a reason for it',
    file: 'dispatch/domain/alerts.ts',
    find: "  if (tx.get('alert', alert.id)) return false;",
    replace: '',
    seed: 28,
    caughtBy: /alert .* was raised \d+ times/,
  },
  {
    name: 'the crew is reminded by every gateway that looks',
    file: 'dispatch/domain/escalation.ts',
    find: 'if (!(step.id in order.fired)) step.fire(tx, order);',
    replace:
      "if (!(step.id in order.fired) || (step.id.startsWith('remind:') && tx.now % 2 === 0)) step.fire(tx, order);",
    seed: 21,
    caughtBy: /reminder .* was raised \d+ times/,
  },
  {
    name: 'an MQTT terminal is acknowledged what was not stored',
    file: 'gateway/mqtt/uplink-gate.ts',
    find: '      if (durable) return done();',
    replace: '      if (durable || terminal.phone) return done();',
    seed: 15,
    caughtBy: /track 0 times|left no trace/,
  },
  {
    name: 'nobody reads the ingest log of a gateway that is gone',
    file: 'gateway/ingest/log-ownership.ts',
    find: 'else if ((await store.owner(leaseName(node), clock.now())) === undefined) await this.#take(node);',
    replace: '',
    seed: 1,
    caughtBy: /the reader of node-\d stands/,
  },
  {
    name: 'a gateway does not start where its log is not empty',
    file: 'gateway/ingest/reader.ts',
    find: '    await this.#standWhereTheStoreStands();\n    this.#running = this.#run();',
    replace: `    await this.#standWhereTheStoreStands();
    if (this.#applied > 0) throw new Error('the log is not empty');
    this.#running = this.#run();`,
    seed: 1,
    caughtBy: /the gateway does not start any more/,
  },
  {
    name: 'a second order goes out before the first is answered',
    file: 'dispatch/domain/outbox.ts',
    find: "const inFlight = lane.find((item) => item.state === 'inFlight');",
    replace: "const inFlight = lane.find((item) => item.state === 'inFlight' && (item.nextAt ?? Infinity) <= now);",
    seed: 3,
    caughtBy: /order-class items in flight/,
  },
  {
    name: 'time points are not put in order',
    file: 'dispatch/domain/evidence.ts',
    find: 'stamps[point] = stamp.at < before ? clampTo(stamp, before) : stamp;',
    replace: 'stamps[point] = stamp;',
    seed: 34,
    caughtBy: /is before/,
  },
  {
    name: 'two orders of a day get one number',
    file: 'dispatch/domain/order.ts',
    find: "number: `${day}-${String(value).padStart(4, '0')}` };",
    replace: "number: `${day}-${String(Math.ceil(value / 2)).padStart(4, '0')}` };",
    seed: 1,
    caughtBy: /number .* was given twice/,
  },
];

/** One attached terminal and its outbox, while there is something to do. */
import type { Decision } from '../../dispatch/decision.js';
import type { Actor, StoredEvent } from '../../dispatch/domain/events.js';
import type { Delivery, Order, Outbox, Terminal, Vehicle } from '../../dispatch/domain/model.js';
import { emptyOutbox, nextStep } from '../../dispatch/domain/outbox.js';
import { deadlineOf } from '../../dispatch/domain/segments.js';
import { Refusal } from '../../dispatch/domain/tx.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { CannotShow, render } from '../profiles/index.js';
import type { TerminalFiles } from '../terminal-files.js';
import { functionOf } from '../terminal-functions/index.js';
import type { OutgoingMessage, TerminalLink } from '../session/link.js';

/** What all runners of a node share. */
export interface RunnerOptions {
  dispatch: DispatchPort;
  node: string;
  files: Pick<TerminalFiles, 'load'>;
  log: {
    warn(fields: Record<string, unknown>, message: string): void;
    error(fields: Record<string, unknown>, message: string): void;
  };
  wake(runner: OutboxRunner): void;
}

/** Pause before another try while the link takes nothing, ms of gateway time: its socket drains within a second or dies. */
const NOT_WRITTEN_MS = 250;
/** Pause after a failure of the store, ms of gateway time. */
const FAILED_MS = 1_000;
/** An answer is applied within this, ms of gateway time; one that the reader could not use does not hold an item for ever. */
const ANSWER_APPLIED_MS = 60_000;
/** Part of a long item between two notices of its progress: twenty events an upgrade. */
const PROGRESS_STEP = 0.05;
/** Between two looks at how far a long item is, ms of gateway time. */
const PROGRESS_LOOK_MS = 1_000;
/** One that stands still for so long is told to its last part, ms of gateway time. */
const STANDS_MS = 5_000;
/** Steps without a pause; more in a row is a mistake of ours that must not take a core. */
const STEPS_IN_A_ROW = 100;

const actor: Actor = { source: 'rule', name: 'delivery', roles: [] };

/** Reads documents: as they are committed, or as a decision leaves them that is not committed yet. */
type Reader = Pick<Decision, 'getMany'>;

/** An item, and the bytes that show it. */
export interface Begun {
  item: Delivery;
  messages: OutgoingMessage[];
}

/** The documents that one look needs. */
interface Look {
  outbox: Outbox;
  vehicle: Vehicle;
  terminal: Terminal;
}

export class OutboxRunner {
  /** Woken since its last look. */
  again = false;
  /** Being worked on: set and cleared by the loop. */
  running = false;
  stopped = false;
  #timer: { cancel(): void } | undefined;
  /** Recorded as written, but the link did not take it yet. */
  #unwritten: Begun | undefined;
  /** Answered on the link, and when; until the reader has applied that, the item's deadline means nothing. */
  readonly #answered = new Map<string, number>();
  /** How far the long item was at the last look, and since when. */
  #stands: { id: string; done: number; since: number } | undefined;

  readonly #committed: Reader;

  constructor(
    private readonly options: RunnerOptions,
    readonly link: TerminalLink,
  ) {
    const { dispatch } = options;
    this.#committed = {
      getMany: async (kind, ids) => (await dispatch.getMany(kind, ids)).map((found) => found?.value),
    };
  }

  stop(): void {
    this.stopped = true;
    this.#wakeNoMore();
  }

  /** Nothing to do, to wait for or to remember: an event or the sweep begins with a new one. */
  get isDone(): boolean {
    if (this.again || this.#timer !== undefined || this.#unwritten !== undefined) return false;
    const before = this.options.dispatch.clock.now() - ANSWER_APPLIED_MS;
    for (const [id, at] of this.#answered) if (at <= before) this.#answered.delete(id);
    return this.#answered.size === 0;
  }

  answered(deliveryId: string): void {
    this.#answered.set(deliveryId, this.options.dispatch.clock.now());
  }

  /** Items that ended need no frames any more. */
  heed({ type, data }: StoredEvent): void {
    const { deliveryId } = data as { deliveryId?: string };
    if (deliveryId === undefined) return;
    if (type === 'delivery.acknowledged' || FORGET.has(type)) this.#answered.delete(deliveryId);
    if (FORGET.has(type)) this.link.forget(deliveryId);
  }

  /**
   * Records the next item as written within a decision that makes it the next, so that it goes out when that is
   * committed. Undefined where there is none, or only the loop can tell what to do. Never rejects.
   */
  async begin(decision: Decision): Promise<Begun | undefined> {
    if (this.#unwritten) return undefined;
    const { dispatch, node } = this.options;
    const { vehicleId, fence } = this.link;
    try {
      const look = await this.#look(decision);
      const step = look && nextStep(look.outbox, dispatch.clock.now(), dispatch.settings.delivery);
      // A function may send a large file: its command does not wait for that.
      if (step?.do !== 'write' || step.item.command) return undefined;
      const messages = await this.#render(look!, step.item, decision);
      const written = { type: 'delivery.written', deliveryId: step.item.id, node, fence, vehicleId } as const;
      return (await decision.add(written, actor)) ? { item: step.item, messages } : undefined;
    } catch {
      // The decision stands without it; the loop meets the reason again, and tells it.
      return undefined;
    }
  }

  /**
   * Looks and acts until there is nothing to do now. Never rejects.
   * @param begun what {@link begin} gave, committed now: goes out first
   */
  async run(begun?: Begun): Promise<void> {
    this.#wakeNoMore();
    if (begun) this.#unwritten = begun;
    try {
      for (let steps = 0; !this.stopped; steps++) {
        this.again = false;
        const pauseMs = await (begun && steps === 0 ? this.#writeNow() : this.#step());
        if (pauseMs === 0 && steps < STEPS_IN_A_ROW) continue;
        if (pauseMs !== undefined) this.#sleep(pauseMs === 0 ? FAILED_MS : pauseMs);
        break;
      }
    } catch (error) {
      const { vehicleId, phone } = this.link;
      this.options.log.warn({ vehicle: vehicleId, terminal: phone, err: error }, 'a delivery could not be worked on');
      this.#sleep(FAILED_MS);
    }
  }

  #sleep(ms: number): void {
    if (this.stopped) return;
    this.#timer = this.options.dispatch.clock.after(ms, () => {
      this.#timer = undefined;
      this.options.wake(this);
    });
  }

  #wakeNoMore(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** One step. @returns pause in ms before the next: 0 none, undefined until something changes */
  async #step(): Promise<number | undefined> {
    const { dispatch } = this.options;
    const look = await this.#look(this.#committed);
    if (!look || this.stopped) return undefined;
    if (this.#unwritten) return this.#writeLate(look.outbox);
    const now = dispatch.clock.now();
    const step = nextStep(look.outbox, now, dispatch.settings.delivery);
    if (step.do === 'wait') {
      const pauseMs = step.until === undefined ? undefined : Math.max(1, step.until - now);
      const long = look.outbox.items.find(({ id, state }) => state === 'inFlight' && this.link.isBusyWith?.(id));
      return long ? Math.min(await this.#progressed(long), pauseMs ?? Infinity) : pauseMs;
    }
    if (step.do === 'write') return this.#write(look, step.item);
    if (now - (this.#answered.get(step.item.id) ?? -Infinity) < ANSWER_APPLIED_MS) return FAILED_MS;
    if (this.link.isBusyWith?.(step.item.id)) return this.#progressed(step.item);
    if (step.do === 'retry') return this.#write(look, step.item);
    this.link.forget(step.item.id);
    return this.#tell({ type: 'delivery.unanswered', deliveryId: step.item.id });
  }

  /**
   * The outbox and what belongs to it, or undefined while nothing may be written: the link is not in the log yet, another
   * one has taken its place, or a person has to decide.
   */
  async #look(reader: Reader): Promise<Look | undefined> {
    const { vehicleId, phone, fence } = this.link;
    const [[vehicle], [outbox], [terminal]] = await Promise.all([
      reader.getMany('vehicle', [vehicleId]),
      reader.getMany('outbox', [vehicleId]),
      reader.getMany('terminal', [phone]),
    ]);
    if (!vehicle || !terminal || terminal.blocked || terminal.contested) return undefined;
    const { state, fence: current } = vehicle.link;
    if (state !== 'up' || (current !== undefined && current !== fence)) return undefined;
    return { vehicle, terminal, outbox: outbox ?? emptyOutbox(vehicleId) };
  }

  async #write(look: Look, item: Delivery): Promise<number | undefined> {
    let messages: OutgoingMessage[];
    try {
      messages = await this.#render(look, item, this.#committed);
    } catch (error) {
      if (!(error instanceof CannotShow)) throw error;
      return this.#tell({ type: 'delivery.failed', deliveryId: item.id, result: error.message });
    }
    const { node } = this.options;
    const pauseMs = await this.#tell({ type: 'delivery.written', deliveryId: item.id, node, fence: this.link.fence });
    if (pauseMs !== 0) return pauseMs;
    this.#unwritten = { item, messages };
    return this.#writeNow();
  }

  /** Documents are read before the item is recorded as written: were they older than it, the record would be refused. */
  async #render({ outbox, vehicle, terminal }: Look, item: Delivery, reader: Reader): Promise<OutgoingMessage[]> {
    const { dispatch } = this.options;
    const { edition, transport } = this.link;
    const ids = new Set(vehicle.queue.entries.map(({ orderId }) => orderId));
    for (const event of outbox.menu) if (item.list?.includes(event.id) && event.orderId) ids.add(event.orderId);
    if (item.orderId !== undefined) ids.add(item.orderId);
    const orders = new Map<string, Order>();
    for (const order of await reader.getMany('order', [...ids])) if (order) orders.set(order.id, order);
    const now = dispatch.clock.now();
    const deadline = (order: Order): number => deadlineOf(order, dispatch.settings);
    const file = await this.#file(item);
    return render({ item, vehicle, terminal, outbox, orders, edition, transport, now, deadlineOf: deadline, file });
  }

  /** Of a function that sends one; undefined where it is not there any more. */
  async #file({ command }: Delivery): Promise<Uint8Array | undefined> {
    const blob = command && functionOf(command.name)?.file?.(command.arguments);
    return blob === undefined ? undefined : this.options.files.load(blob);
  }

  /** Tells how far a long item is, in steps, so that a fleet's upgrade does not fill the log. */
  async #progressed({ id, progress }: Delivery): Promise<number> {
    const now = this.link.progressOf?.(id);
    const at = this.options.dispatch.clock.now();
    if (now && (this.#stands?.id !== id || this.#stands.done !== now.done))
      this.#stands = { id, done: now.done, since: at };
    const told = progress?.done ?? 0;
    const isStep = now && Math.abs(now.done - told) / now.of >= PROGRESS_STEP;
    const isEnd = now && now.done !== told && at - this.#stands!.since >= STANDS_MS;
    if (isStep || isEnd) await this.#tell({ type: 'delivery.progress', deliveryId: id, ...now });
    return PROGRESS_LOOK_MS;
  }

  async #writeNow(): Promise<number | undefined> {
    const { item, messages } = this.#unwritten!;
    if (this.stopped) return undefined;
    const written = this.link.write(item.id, messages);
    if (!written) return NOT_WRITTEN_MS;
    this.#unwritten = undefined;
    // The driver answers later, and quotes the serial.
    if (item.command?.awaits !== undefined && this.link.transport !== 'mqtt') {
      await this.#tell({ type: 'delivery.serials', deliveryId: item.id, serials: written.serials });
    }
    return 0;
  }

  /** The item that the link did not take goes out now, unless it ended meanwhile. */
  async #writeLate(outbox: Outbox): Promise<number | undefined> {
    const still = outbox.items.find(({ id }) => id === this.#unwritten!.item.id);
    if (still?.state === 'inFlight' && !still.superseded) return this.#writeNow();
    this.#unwritten = undefined;
    return 0;
  }

  /** Tells dispatch. @returns 0, or a pause where it refuses: then the outbox changed meanwhile, or must wait */
  async #tell(report: Report): Promise<number | undefined> {
    const { link } = this;
    const { dispatch } = this.options;
    try {
      await dispatch.execute({ ...report, vehicleId: link.vehicleId }, actor);
      return 0;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return CHANGED.has(error.code) ? CHANGED_MS : undefined;
    }
  }
}

type Report =
  | { type: 'delivery.written'; deliveryId: string; node: string; fence: number }
  | { type: 'delivery.serials'; deliveryId: string; serials: [number, number] }
  | { type: 'delivery.progress'; deliveryId: string; done: number; of: number }
  | { type: 'delivery.unanswered'; deliveryId: string }
  | { type: 'delivery.failed'; deliveryId: string; result: string };

/** Refusals that mean: look again, something else comes first now. Their event wakes us; this is for a lost one. */
const CHANGED = new Set(['notNext', 'notInFlight', 'unknownDelivery']);
const CHANGED_MS = 50;

const FORGET = new Set([
  'delivery.receipted',
  'delivery.refused',
  'delivery.voided',
  'delivery.expired',
  'delivery.unanswered',
]);

import { drawMs, type Habits } from './habits.js';
import type { Place } from './geo.js';
import type { Random } from './random.js';
import type { Truck } from './truck.js';

/** Keys of a crew, whatever the terminal calls them. */
export type Step = 'accept' | 'depart' | 'arrive' | 'done' | 'refuse';
export type DutyStep = 'break' | 'standby';

/** What the crew reads from the screen. */
export interface CrewOrder {
  /** Stable for one leg on this screen. */
  key: string;
  number: string;
  /** Where to go, when the screen or the street name says it. */
  place?: Place;
}

/** What a crew can do; the vehicle performs it. */
export interface CrewActs {
  press(step: Step, order: CrewOrder, now: number): void;
  duty(step: DutyStep, now: number): void;
}

type Phase = 'new' | 'accepted' | 'driving' | 'there' | 'working';

interface Job {
  order: CrewOrder;
  phase: Phase;
  /** When the next thing happens to it; Infinity while the truck drives. */
  at: number;
}

/** Keys that will be pressed later than the thing happened. */
interface LateKey {
  step: Step;
  order: CrewOrder;
  at: number;
}

/**
 * A crew and its truck: reads the screen, accepts, drives to the first accepted order, works, presses the keys as its
 * habits are. Orders that vanish from the screen are dropped; the list's order is obeyed.
 */
export class Crew {
  readonly #jobs = new Map<string, Job>();
  /** Done or refused, but still on the screen until the platform takes it off. */
  readonly #finished = new Set<string>();
  #lateKeys: LateKey[] = [];
  #current: Job | undefined;
  #breakUntil = 0;
  #idleSince: number;
  #nextBreakCheckAt: number;

  constructor(
    readonly habits: Habits,
    private readonly random: Random,
    private readonly truck: Truck,
    private readonly acts: CrewActs,
    now: number,
  ) {
    this.#idleSince = now;
    this.#nextBreakCheckAt = now + 600_000;
  }

  /** True when no order is being worked on and no key is waiting to be pressed. */
  get idle(): boolean {
    return this.#current === undefined && this.#jobs.size === 0 && this.#lateKeys.length === 0;
  }

  get onBreak(): boolean {
    return this.#breakUntil > 0;
  }

  /**
   * Looks at the screen and does what is due. Call whenever the screen changes and about once a second of gateway time.
   * @param orders as shown, first to do first
   */
  look(orders: readonly CrewOrder[], now: number): void {
    this.#forgetVanished(orders);
    for (const order of orders) {
      if (this.#finished.has(order.key)) continue;
      const job = this.#jobs.get(order.key);
      if (job === undefined) {
        const at = now + drawMs(this.random, this.habits.acceptS, 1000) + this.#lateness();
        this.#jobs.set(order.key, { order, phase: 'new', at });
      } else job.order = order;
    }
    this.#pressLateKeys(now);
    if (this.#breakUntil > 0) {
      if (now < this.#breakUntil) return;
      this.#breakUntil = 0;
      this.acts.duty('standby', now);
    }
    this.#answerNew(now);
    this.#work(orders, now);
    this.#maybeBreak(now);
  }

  #finish(job: Job): void {
    this.#jobs.delete(job.order.key);
    this.#finished.add(job.order.key);
    if (this.#current === job) this.#current = undefined;
  }

  #forgetVanished(orders: readonly CrewOrder[]): void {
    for (const key of this.#finished) if (!orders.some((order) => order.key === key)) this.#finished.delete(key);
    for (const key of this.#jobs.keys()) {
      if (orders.some((order) => order.key === key)) continue;
      const job = this.#jobs.get(key)!;
      this.#jobs.delete(key);
      if (this.#current === job) {
        this.#current = undefined;
        this.truck.halt();
      }
    }
  }

  #answerNew(now: number): void {
    for (const job of this.#jobs.values()) {
      if (job.phase !== 'new' || now < job.at) continue;
      if (this.random.chance(this.habits.refuseChance)) {
        this.#key('refuse', job.order, now);
        this.#finish(job);
        continue;
      }
      this.#key('accept', job.order, now);
      job.phase = 'accepted';
      job.at = Infinity;
    }
  }

  #work(orders: readonly CrewOrder[], now: number): void {
    const job = (this.#current ??= this.#nextJob(orders, now));
    if (job === undefined || now < job.at) {
      if (job?.phase === 'driving' && !this.truck.driving) this.#arrived(job, now);
      return;
    }
    if (job.phase === 'accepted') this.#depart(job, now);
    else if (job.phase === 'there') {
      this.#mayForget('arrive', job.order, now);
      job.phase = 'working';
      const workMs = drawMs(this.random, this.habits.workMin, 60_000);
      job.at = now + workMs + drawMs(this.random, this.habits.doneS, 1000) + this.#lateness();
    } else if (job.phase === 'working') {
      this.#key('done', job.order, now);
      this.#finish(job);
      this.#idleSince = now;
    }
  }

  /** The first accepted order of the list. */
  #nextJob(orders: readonly CrewOrder[], now: number): Job | undefined {
    for (const order of orders) {
      const job = this.#jobs.get(order.key);
      if (job?.phase !== 'accepted') continue;
      job.at = now + drawMs(this.random, this.habits.departS, 1000);
      return job;
    }
    return undefined;
  }

  #depart(job: Job, now: number): void {
    this.#mayForget('depart', job.order, now);
    if (job.order.place !== undefined) this.truck.goTo(job.order.place);
    job.phase = 'driving';
    job.at = Infinity;
  }

  #arrived(job: Job, now: number): void {
    job.phase = 'there';
    job.at = now + drawMs(this.random, this.habits.arriveS, 1000);
  }

  #maybeBreak(now: number): void {
    if (now < this.#nextBreakCheckAt) return;
    this.#nextBreakCheckAt = now + 600_000;
    if (!this.idle || now - this.#idleSince < 600_000) return;
    if (!this.random.chance(this.habits.breakChancePerHour / 6)) return;
    this.#breakUntil = now + drawMs(this.random, this.habits.breakMin, 60_000);
    this.truck.switchOff();
    this.acts.duty('break', now);
  }

  #lateness(): number {
    return this.random.chance(this.habits.lateChance) ? drawMs(this.random, this.habits.lateS, 1000) : 0;
  }

  #mayForget(step: Step, order: CrewOrder, now: number): void {
    if (this.random.chance(this.habits.forgetChance)) return;
    const late = this.#lateness();
    if (late > 0) this.#lateKeys.push({ step, order, at: now + late });
    else this.#key(step, order, now);
  }

  #key(step: Step, order: CrewOrder, now: number): void {
    this.acts.press(step, order, now);
    if (this.random.chance(this.habits.doublePressChance)) {
      this.#lateKeys.push({ step, order, at: now + this.random.int(2, 8) * 1000 });
    }
  }

  #pressLateKeys(now: number): void {
    const due = this.#lateKeys.filter((key) => key.at <= now);
    if (due.length === 0) return;
    this.#lateKeys = this.#lateKeys.filter((key) => key.at > now);
    for (const key of due) this.acts.press(key.step, key.order, now);
  }
}

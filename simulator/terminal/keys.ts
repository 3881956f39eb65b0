import type { UplinkBody } from '../../protocol/index.js';
import type { Place } from '../geo.js';
import type { OrderApp } from './app.js';
import type { DispatchScreen } from './dispatch-screen.js';
import type { Flash } from './options.js';
import type { ReportQueue } from './report-queue.js';
import { actionOf, dutyOf, type AppKey, type DutyKey, type ScreenStep, type TerminalEvent } from './types.js';

/** What a driver can say with a key. */
export interface KeyNote {
  reason?: string;
  note?: string;
  at?: Place;
}

export interface KeysParts {
  /** The dispatch application; undefined where the terminal has none. */
  app: OrderApp | undefined;
  screen: DispatchScreen;
  reports: ReportQueue;
  flash: Flash;
  /** Sends a message of the application. */
  say: (body: UplinkBody, what: string, now: number) => void;
  tell: (event: TerminalEvent) => void;
}

/** The driver's keys: those of the application, or the lines of the event list. */
export class Keys {
  constructor(private readonly parts: KeysParts) {}

  /** False when the screen has no such order or offers no such key now. */
  press(step: AppKey, number: string, now: number, note: KeyNote = {}): boolean {
    const { app, screen, tell } = this.parts;
    if (app !== undefined) {
      const order = app.orders().find((one) => one.number === number || one.key === number);
      if (order === undefined) return false;
      const { reason, note: words, at } = note;
      this.parts.say(
        {
          kind: 'orderAction',
          orderId: order.orderId!,
          leg: order.leg!,
          action: actionOf[step],
          atMs: this.#deviceTime(now),
          ...(reason === undefined ? {} : { reason }),
          ...(words === undefined ? {} : { note: words }),
          ...at,
        },
        step,
        now,
      );
    } else {
      const eventId = screen.eventOf(number, step as ScreenStep);
      if (eventId === undefined) return false;
      this.#event(eventId, step, number, now);
    }
    tell({ at: now, type: 'pressed', step, number });
    return true;
  }

  /** A line of the event list by its id, also one that is not on the list any more. */
  pressEvent(eventId: number, now: number): void {
    this.#event(eventId, '', '', now);
  }

  /** The crew's availability. False when there is no key for it. */
  duty(key: DutyKey, now: number, reason: string): boolean {
    const { app, screen, tell } = this.parts;
    if (app !== undefined) {
      this.parts.say({ kind: 'duty', to: dutyOf[key], atMs: this.#deviceTime(now), reason }, `duty:${key}`, now);
    } else {
      const eventId = key === 'offDuty' ? undefined : screen.dutyEvent(key);
      if (eventId === undefined) return false;
      this.#event(eventId, key, '', now);
    }
    tell({ at: now, type: 'pressed', step: key, number: '' });
    return true;
  }

  /** Answers a question: `deliveryId` as in the event `question`, `choice` from 1. */
  answer(deliveryId: string, choice: number, now: number, text: string): void {
    const { app, reports } = this.parts;
    if (app !== undefined && !deliveryId.startsWith(serialPrefix)) {
      this.parts.say({ kind: 'answer', deliveryId, choice, text, atMs: this.#deviceTime(now) }, 'answer', now);
      return;
    }
    const replySerial = Number(deliveryId.slice(serialPrefix.length));
    reports.add({ kind: 'answer', id: reports.nextId(), madeAt: now, replySerial, answerId: choice }, now);
  }

  #event(eventId: number, step: string, number: string, now: number): void {
    const { reports } = this.parts;
    reports.add({ kind: 'menuEvent', id: reports.nextId(), madeAt: now, eventId, step, number }, now);
  }

  #deviceTime(now: number): number {
    return now + this.parts.flash.clockOffsetMs;
  }
}

/** A question of JT/T 808 (0x8302) has no id but the serial number of its frame. */
export const serialPrefix = 'serial:';

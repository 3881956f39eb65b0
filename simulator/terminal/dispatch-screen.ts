import { dropOldest } from './app.js';
import type { ScreenOrder, ScreenStep, TerminalEvent } from './types.js';

/** One line of the event list (0x8301). */
export interface ListEvent {
  id: number;
  text: string;
}

/** Words of the event list for each key, as the platform writes them. */
const stepWords: Record<string, ScreenStep | 'break' | 'standby'> = {
  接单: 'accept',
  出发: 'depart',
  到达: 'arrive',
  完成: 'done',
  拒绝: 'refuse',
  暂离: 'break',
  待命: 'standby',
  accept: 'accept',
  depart: 'depart',
  arrive: 'arrive',
  done: 'done',
  refuse: 'refuse',
  break: 'break',
  standby: 'standby',
};

const withdrawnWords = /已撤回|recalled|withdrawn/i;
const orderNumber = /\d{8}-\d{4,5}/;
/** The text of an order ends with the customer's phone; a reminder of one does not. */
const endsWithPhone = /\d{7,}\s*$/;
/** Texts that the screen keeps; old ones scroll away. */
const keptTexts = 60;

/**
 * A dispatch screen as JT/T 808 knows it: texts (0x8300) and an event list (0x8301), nothing else. What the driver
 * takes for "the orders" is read from both: a text with an order number, kept as long as the list offers a key for it.
 */
export class DispatchScreen {
  readonly #texts = new Map<string, { number: string; text: string; urgent: boolean }>();
  readonly #withdrawn = new Set<string>();
  #events = new Map<number, string>();
  #shown = new Map<string, ScreenOrder>();

  constructor(
    /** With a list the list decides what is shown; without (profile `text`) every order text that was not withdrawn. */
    readonly hasList: boolean,
    private readonly locate: (address: string) => ScreenOrder['place'],
    private readonly tell: (event: TerminalEvent) => void,
  ) {}

  events(): ListEvent[] {
    return [...this.#events].map(([id, text]) => ({ id, text }));
  }

  orders(): ScreenOrder[] {
    return [...this.#shown.values()];
  }

  /** Texts of orders, also those that the list does not (yet) offer. */
  texts(): string[] {
    return [...this.#texts.values()].map((one) => one.text);
  }

  forget(): void {
    this.#texts.clear();
    this.#withdrawn.clear();
    this.#events.clear();
    this.#shown.clear();
  }

  showText(text: string, urgent: boolean, now: number): void {
    const number = orderNumber.exec(text)?.[0];
    if (number === undefined) {
      this.tell({ at: now, type: 'notice', text, urgent });
      return;
    }
    if (withdrawnWords.test(text)) {
      this.#withdrawn.add(number);
      this.tell({ at: now, type: 'notice', text, urgent });
    } else if (!endsWithPhone.test(text)) {
      this.tell({ at: now, type: 'urge', number, text });
      return;
    } else {
      this.#withdrawn.delete(number);
      this.#texts.delete(number);
      this.#texts.set(number, { number, text, urgent });
      dropOldest(this.#texts, keptTexts);
    }
    this.#refresh(now, number);
  }

  /** @param setting 0 delete all, 1 replace, 2 append, 3 modify, 4 delete the listed (reference 4.2) */
  setEvents(setting: number, items: readonly ListEvent[], now: number): void {
    if (setting === 0 || setting === 1) this.#events.clear();
    for (const item of items) {
      if (setting === 4) this.#events.delete(item.id);
      else this.#events.set(item.id, item.text);
    }
    this.#refresh(now);
    this.tell({ at: now, type: 'list', revision: 0, numbers: this.orders().map((order) => order.number) });
  }

  /** Id of the line that presses this step of this order, if the list offers it. */
  eventOf(number: string, step: ScreenStep): number | undefined {
    for (const [id, text] of this.#events) {
      const line = parse(text);
      if (line !== undefined && line.step === step && matches(number, line.label)) return id;
    }
    return undefined;
  }

  dutyEvent(step: 'break' | 'standby'): number | undefined {
    for (const [id, text] of this.#events) if (stepWords[text.trim().toLowerCase()] === step) return id;
    return undefined;
  }

  #refresh(now: number, changedText?: string): void {
    const before = this.#shown;
    const next = new Map<string, ScreenOrder>();
    for (const order of this.hasList ? this.#listed() : this.#unlisted()) next.set(order.key, order);
    this.#shown = next;
    for (const [key, order] of before) {
      if (!next.has(key)) this.tell({ at: now, type: 'removed', key, number: order.number });
    }
    for (const [key, order] of next) {
      const old = before.get(key);
      if (old === undefined) this.tell({ at: now, type: 'order', order, again: false });
      else if (key === changedText && old.text !== order.text)
        this.tell({ at: now, type: 'order', order, again: true });
    }
  }

  /** Orders that the list names, in its order, with the steps that it offers. */
  #listed(): ScreenOrder[] {
    const steps = new Map<string, ScreenStep[]>();
    for (const text of this.#events.values()) {
      const line = parse(text);
      if (line === undefined) continue;
      const number = this.#numberOf(line.label);
      if (number === undefined) continue;
      const list = steps.get(number) ?? [];
      list.push(line.step);
      steps.set(number, list);
    }
    return [...steps].map(([number, list]) => this.#order(number, list));
  }

  #unlisted(): ScreenOrder[] {
    return [...this.#texts.keys()]
      .filter((number) => !this.#withdrawn.has(number))
      .map((number) => this.#order(number, []));
  }

  /** The newest text whose number ends like the label: numbers of different days may share it. */
  #numberOf(label: string): string | undefined {
    const found = [...this.#texts.keys()].filter((number) => matches(number, label));
    return found.findLast((number) => !this.#withdrawn.has(number)) ?? found.at(-1);
  }

  #order(number: string, steps: readonly ScreenStep[]): ScreenOrder {
    const { text, urgent } = this.#texts.get(number)!;
    const place = this.locate(text);
    return { key: number, number, address: text, text, urgent, steps, ...(place === undefined ? {} : { place }) };
  }
}

/** Label and step of a line such as `0012 接单`, or undefined for duty lines and unknown ones. */
function parse(text: string): { label: string; step: ScreenStep } | undefined {
  const found = /^(\S+)\s+(\S+)$/.exec(text.trim());
  if (found === null) return undefined;
  const step = stepWords[found[2]!.toLowerCase()];
  if (step === undefined || step === 'break' || step === 'standby') return undefined;
  return { label: found[1]!, step };
}

/** `0012` and `21-0012` both name 20260321-0012. */
function matches(number: string, label: string): boolean {
  const [day, serial] = [number.slice(6, 8), number.slice(9)];
  const dash = label.indexOf('-');
  if (dash < 0) return serial.slice(-4) === label || serial === label;
  return (
    label.slice(0, dash) === day && (serial.slice(-4) === label.slice(dash + 1) || serial === label.slice(dash + 1))
  );
}

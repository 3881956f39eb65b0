import type { Random } from './random.js';

/** From and to, uniform in between. */
export type Range = readonly [from: number, to: number];

/** How a crew works. Seconds and minutes are gateway time; chances are 0 to 1. */
export interface Habits {
  /** From the order on the screen to the key "accept". */
  acceptS: Range;
  /** From the accepted order, with nothing else under way, to the departure. */
  departS: Range;
  /** From the arrival of the truck to the key "arrive". */
  arriveS: Range;
  /** Work on site. */
  workMin: Range;
  /** From the end of the work to the key "done". */
  doneS: Range;
  /** Refuses an order instead of accepting it. */
  refuseChance: number;
  /** Presses a key much later than the thing happened. */
  lateChance: number;
  lateS: Range;
  /** Does the thing without ever pressing its key; accept and done are never forgotten for good. */
  forgetChance: number;
  /** Takes a break when nothing is to do: chance per idle hour, and how long. */
  breakChancePerHour: number;
  breakMin: Range;
  /** Presses a key a second time some seconds later. */
  doublePressChance: number;
}

/** Prompt and complete: what the demo and most tests want. */
export const diligent: Habits = {
  acceptS: [8, 40],
  departS: [15, 60],
  arriveS: [4, 20],
  workMin: [8, 25],
  doneS: [3, 15],
  refuseChance: 0,
  lateChance: 0,
  lateS: [60, 300],
  forgetChance: 0,
  breakChancePerHour: 0,
  breakMin: [15, 40],
  doublePressChance: 0,
};

/** As people are: sometimes late, sometimes twice, sometimes not at all. */
export const human: Habits = {
  ...diligent,
  acceptS: [10, 110],
  departS: [30, 170],
  refuseChance: 0.03,
  lateChance: 0.1,
  forgetChance: 0.06,
  breakChancePerHour: 0.1,
  doublePressChance: 0.05,
};

export const habitsByName = { diligent, human } as const;

export function drawMs(random: Random, [from, to]: Range, unitMs: number): number {
  return Math.round(random.between(from, to) * unitMs);
}

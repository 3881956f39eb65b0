/** The states of a leg as tables (domain.md, "Leg"). */
import type { Leg, LegState, Order, Point } from './model.js';

/** How far the work has come; the state of a leg is the furthest reached. */
export const PROGRESS = [
  'queued',
  'sent',
  'delivered',
  'read',
  'accepted',
  'enRoute',
  'onSite',
  'working',
  'workDone',
  'completed',
] as const;
export type Progress = (typeof PROGRESS)[number];

const ENDED: readonly LegState[] = ['workDone', 'completed', 'recalled', 'rejected', 'expired'];

/** The point that a state stamps when it is entered. */
export const POINT_OF: Partial<Record<LegState, Point>> = {
  queued: 'D',
  delivered: 'E',
  accepted: 'F',
  enRoute: 'G',
  onSite: 'H',
  workDone: 'I',
  completed: 'J',
};

export function isOpen(leg: Leg): boolean {
  return !ENDED.includes(leg.state);
}
/** Open and not being recalled: the one leg of an order that may be worked on. */
export function isEffective(leg: Leg): boolean {
  return isOpen(leg) && leg.state !== 'recalling';
}
/** How far the leg had come, also while it is suspended or being recalled. */
export function progressOf(leg: Leg): Progress {
  const state = leg.state === 'suspended' || leg.state === 'recalling' ? (leg.before ?? 'queued') : leg.state;
  return (PROGRESS as readonly string[]).includes(state) ? (state as Progress) : 'queued';
}
export function isAtLeast(state: LegState, least: Progress): boolean {
  return PROGRESS.indexOf(state as Progress) >= PROGRESS.indexOf(least);
}
export function isOnSite(leg: Leg): boolean {
  return leg.state === 'onSite' || leg.state === 'working';
}

export function openLegs(order: Readonly<Order>): Leg[] {
  return order.legs.filter(isOpen);
}
export function effectiveOpenLeg(order: Readonly<Order>): Leg | undefined {
  return order.legs.find(isEffective);
}
export function legOf(order: Readonly<Order>, leg: number): Leg | undefined {
  return order.legs.find((one) => one.leg === leg);
}

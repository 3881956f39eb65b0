/**
 * What the rules of delivery must know of a terminal's profile (architecture.md, "Terminals"). How each item looks on
 * the wire is the gateway's table (gateway/profiles); a new kind of terminal is a row here and there.
 */
import type { ProfileName, TerminalOptions } from './model.js';

export interface ProfileRules {
  /** Orders go to the terminal at all. */
  readonly orders: boolean;
  /** How the terminal shows the queue: a snapshot of (leg, version), an event list, or not at all. */
  readonly list: 'snapshot' | 'menu' | 'none';
  /** A recall is: a message that removes the leg, a new list plus a text, or a text alone. */
  readonly recall: 'remove' | 'listAndText' | 'text' | 'none';
  /** Whose receipt counts: the application's own, or the transport's (0x0001) result 0. */
  readonly receipt: 'application' | 'transport';
  /** The terminal says what it holds, so lists are compared after each link. */
  readonly compares: boolean;
}

export const PROFILE_RULES: Record<ProfileName, ProfileRules> = {
  smart: { orders: true, list: 'snapshot', recall: 'remove', receipt: 'application', compares: true },
  mqtt: { orders: true, list: 'snapshot', recall: 'remove', receipt: 'application', compares: true },
  menu: { orders: true, list: 'menu', recall: 'listAndText', receipt: 'transport', compares: false },
  text: { orders: true, list: 'none', recall: 'text', receipt: 'transport', compares: false },
  tracker: { orders: false, list: 'none', recall: 'none', receipt: 'transport', compares: false },
};

/** What a terminal is taken for until somebody states it: screens of 2011 and 2013 have event lists, 2019 dropped them. */
export function profileOfEdition(edition: 2011 | 2013 | 2019): ProfileName {
  return edition === 2019 ? 'text' : 'menu';
}

/** Limits until somebody states others: 32 events, and texts that fit one frame (JT/T 808, 4.1). */
export const DEFAULT_TERMINAL_OPTIONS: TerminalOptions = {
  maxEvents: 32,
  maxTextBytes: 500,
  listUpdate: 'replace',
  maxLegs: 20,
};

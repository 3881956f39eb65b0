/** The rules that hold: those of the store, and those that Linecrew brings along where the store says nothing. */
import { DEFAULT_REQUIRED_FIELDS } from './record.js';
import { DEFAULT_ROUTING, type RoutingRule } from './routing.js';

/** Parts of the rules that a new store has without saying so. */
export const BUILT_IN = { routing: DEFAULT_ROUTING, requiredFields: DEFAULT_REQUIRED_FIELDS } as const;
export type BuiltIn = keyof typeof BUILT_IN;

export interface RulesInForce extends Record<string, unknown> {
  routing: readonly RoutingRule[];
  requiredFields: Readonly<Record<string, readonly string[]>>;
}

/** @param stored the value of the rules document, empty where there is none */
export function rulesInForce(stored: Readonly<Record<string, unknown>>): RulesInForce {
  return { ...BUILT_IN, ...stored };
}

/** The parts that are the built-in ones. */
export function builtInParts(stored: Readonly<Record<string, unknown>>): BuiltIn[] {
  return (Object.keys(BUILT_IN) as BuiltIn[]).filter((part) => stored[part] === undefined);
}

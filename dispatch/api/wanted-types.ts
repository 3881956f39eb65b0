/** Types of events that a client asks for: one that no event has would be waited for without end. */
import { EVENT_TYPES } from '../domain/reduce.js';
import { unknownTypes } from '../event-types.js';
import { Problem, type ProblemError } from './http/problem.js';

/** @throws {Problem} `invalidValue` (422) with the types that there are */
export function checkTypes(
  types: string | readonly string[] | undefined,
  place: Pick<ProblemError, 'parameter' | 'pointer'>,
): void {
  const unknown = types === undefined ? [] : unknownTypes(types);
  if (unknown.length === 0) return;
  const are = `${unknown.join(', ')} ${unknown.length === 1 ? 'is no type' : 'are no types'} of event`;
  const expected = `some of ${EVENT_TYPES.join(', ')}, or all of a subject such as order.*`;
  throw new Problem('invalidValue', are, {
    errors: [{ ...place, detail: are, expected }],
    details: { types: EVENT_TYPES },
  });
}

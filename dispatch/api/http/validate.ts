/** Validation by the route's own schemas, and its errors in words: where, what, and what was expected. */
import type { z } from 'zod';
import { Problem, type ProblemError } from './problem.js';

type Where = 'body' | 'query' | 'params';

/** At most this many errors are listed: a body of a megabyte can hold a hundred thousand. */
const MAX_ERRORS = 50;

/** JSON Pointer (RFC 6901) as a URI fragment. */
function pointerOf(path: readonly PropertyKey[]): string {
  return (
    '#' + path.map((key) => '/' + encodeURIComponent(String(key).replaceAll('~', '~0').replaceAll('/', '~1'))).join('')
  );
}

type Issue = z.core.$ZodIssue;

const FORMATS: Record<string, string> = {
  datetime: 'a time such as 2026-11-21T08:00:00.000Z',
  uuid: 'a UUID',
  url: 'a URL',
};
const UNITS: Record<string, string> = { string: ' characters', array: ' entries', set: ' entries', object: ' keys' };

function expectedBy(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.expected === 'int' ? 'a whole number' : issue.expected;
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`;
    case 'too_big':
      return `at most ${issue.maximum}${UNITS[issue.origin] ?? ''}`;
    case 'too_small':
      return `at least ${issue.minimum}${UNITS[issue.origin] ?? ''}`;
    case 'invalid_format':
      return FORMATS[issue.format] ?? issue.message.replace(/^expected /, '');
    default:
      return undefined;
  }
}

const isLong = (issue: Issue): boolean => 'origin' in issue && issue.origin in UNITS;
const WORDS: Partial<Record<Issue['code'], (issue: Issue) => string>> = {
  invalid_type: () => 'is of another type',
  invalid_value: () => 'is none of the values that are known',
  invalid_format: () => 'is not valid',
  too_big: (issue) => (isLong(issue) ? 'is too long' : 'is too large'),
  too_small: (issue) => (isLong(issue) ? 'is too short' : 'is too small'),
};

function wordsOf(issue: Issue, input: unknown): string {
  const value = valueAt(input, issue.path);
  if (issue.code === 'invalid_type' && value === undefined) return 'is missing';
  if (issue.code === 'unrecognized_keys') return `is not known here`;
  // What was expected stands beside it, in `expected`.
  return WORDS[issue.code]?.(issue) ?? issue.message;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function errorsOf(issue: Issue, where: Where, input: unknown): ProblemError[] {
  // What no member of a union takes is told by the member that came nearest.
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const nearest = issue.errors.reduce((a, b) => (depth(b) > depth(a) ? b : a));
    if (nearest.length > 0 && depth(nearest) > 0) {
      return nearest.flatMap((inner) => errorsOf({ ...inner, path: [...issue.path, ...inner.path] }, where, input));
    }
  }
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
  const expected = expectedBy(issue);
  return paths.map((path) => {
    const name = path.map(String).join('.');
    const place = where === 'body' ? { pointer: pointerOf(path) } : { parameter: name };
    return { detail: `${name || 'the body'}: ${wordsOf(issue, input)}`, ...place, ...(expected ? { expected } : {}) };
  });
}

const depth = (issues: readonly { path: readonly PropertyKey[] }[]): number =>
  Math.max(0, ...issues.map((i) => i.path.length));

/**
 * Parses by the schema.
 * @throws {Problem} `invalidBody` (422) or `invalidParameter` (400), with every error (at most 50), its place and what
 * was expected
 */
export function validate<T>(schema: z.ZodType<T>, input: unknown, where: Where): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.flatMap((issue) => errorsOf(issue, where, input)).slice(0, MAX_ERRORS);
  const code = where === 'body' ? 'invalidBody' : 'invalidParameter';
  const first = errors[0];
  const detail = first ? `${first.detail}${first.expected ? `; expected ${first.expected}` : ''}` : 'it is not valid';
  throw new Problem(code, errors.length > 1 ? `${detail} (and ${errors.length - 1} more)` : detail, { errors });
}

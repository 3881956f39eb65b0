/** Versions of documents as entity tags (RFC 9110, 8.8.3 and 13.1.1). */
import { Problem } from './problem.js';

export const etagOf = (version: number): string => `"${version}"`;

/**
 * Version that `If-Match` asks for; undefined where the header is absent or `*`. A weak tag never matches, nor does one
 * that is no version of ours: both give -1, which no document has.
 * @throws {Problem} `invalidHeader` when it is no entity tag at all
 */
export function ifMatchVersion(header: string | undefined): number | undefined {
  if (header === undefined || header.trim() === '*') return undefined;
  const tags = header.split(',').map((tag) => tag.trim());
  for (const tag of tags) {
    if (!/^(W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/.test(tag)) {
      throw new Problem('invalidHeader', `If-Match: ${header} is no entity tag`, {
        errors: [
          {
            header: 'If-Match',
            detail: `${tag} is no entity tag`,
            expected: 'the ETag of an earlier answer, for example "3"',
          },
        ],
      });
    }
  }
  const strong = tags.find((tag) => /^"\d{1,15}"$/.test(tag));
  return strong === undefined ? -1 : Number(strong.slice(1, -1));
}

/** @throws {Problem} `versionMismatch` (412) unless the version is the one that was asked for */
export function checkVersion(asked: number | undefined, actual: number): void {
  if (asked === undefined || asked === actual) return;
  throw new Problem(
    'versionMismatch',
    `the version is ${actual} now, not ${asked < 0 ? 'the one given' : asked}; read it again`,
    {
      details: { version: actual },
      headers: { etag: etagOf(actual) },
    },
  );
}

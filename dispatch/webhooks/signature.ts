/** Signatures after Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over id, timestamp and body. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new secret: `whsec_` and 32 random bytes, base64. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

const keyOf = (secret: string): Buffer => Buffer.from(secret.replace(/^whsec_/, ''), 'base64');

/** `v1,…` for one secret. `timestampS` is seconds of the machine's clock, which receivers hold against theirs. */
export function sign(secret: string, id: string, timestampS: number, body: string): string {
  return `v1,${createHmac('sha256', keyOf(secret)).update(`${id}.${timestampS}.${body}`).digest('base64')}`;
}

/** Headers of one message; while a secret is being replaced there is a signature for each. */
export function signedHeaders(
  secrets: readonly string[],
  id: string,
  timestampS: number,
  body: string,
): Record<string, string> {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': secrets.map((secret) => sign(secret, id, timestampS, body)).join(' '),
  };
}

/** What a receiver does: any of the signatures is right, and the message is not older than five minutes. */
export function verify(
  secret: string,
  headers: Record<string, string | undefined>,
  body: string,
  nowS: number,
): boolean {
  const id = headers['webhook-id'];
  const timestampS = Number(headers['webhook-timestamp']);
  if (id === undefined || !Number.isInteger(timestampS) || Math.abs(nowS - timestampS) > 300) return false;
  const expected = Buffer.from(sign(secret, id, timestampS, body));
  return (headers['webhook-signature'] ?? '').split(' ').some((given) => {
    const bytes = Buffer.from(given);
    return bytes.length === expected.length && timingSafeEqual(bytes, expected);
  });
}

/** Gives `length` random bytes. Injected, so that tests and the deterministic simulation repeat. */
export type RandomBytes = (length: number) => Uint8Array;

/** UUIDv7 (RFC 9562, 5.7): 48 bits of ms UTC, then 74 random bits; sorts by time. */
export function uuidV7(at: number, random: RandomBytes): string {
  const bytes = new Uint8Array(16);
  bytes.set(random(10), 6);
  let ms = Math.max(0, Math.trunc(at));
  for (let i = 5; i >= 0; i--) {
    bytes[i] = ms % 256;
    ms = Math.trunc(ms / 256);
  }
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Buffer.from(bytes).toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

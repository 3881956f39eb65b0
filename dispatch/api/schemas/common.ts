/** Schemas that many routes share. */
import { z } from 'zod';
import { STAGES } from '../../domain/model.js';

/** A time that comes in: ISO 8601 with zone; becomes ms UTC. */
export const timeIn = z.iso
  .datetime({ offset: true })
  .transform((text) => Date.parse(text))
  .meta({ id: 'TimeGiven', description: 'ISO 8601 with zone', example: '2026-11-21T08:00:00.000Z' });
/** A time that goes out: ISO 8601 UTC with milliseconds. */
export const timeOut = z.iso
  .datetime({ precision: 3 })
  .meta({ id: 'Time', description: 'ISO 8601 UTC with milliseconds' });

/** Ids are ours (UUIDv7) or the operator's: one path segment, printable. */
export const id = z
  .string()
  .regex(/^[^\s/\\\p{C}]{1,128}$/u, { error: () => 'expected 1 to 128 characters without spaces and slashes' })
  .meta({ example: '0193a1b2-7c00-7000-8000-000000000001' });
export const name = z.string().trim().min(1).max(120);
export const words = z.string().max(2_000);
export const phone = z
  .string()
  .regex(/^[+\d][\d \-()*#]{0,31}$/, { error: () => 'expected a phone number of up to 32 digits' })
  .meta({ example: '13800138000' });
/** The terminal's number: digits, without leading zeros in the store. */
export const terminalPhone = z
  .string()
  .regex(/^\d{1,20}$/, { error: () => 'expected 1 to 20 digits' })
  .transform((digits) => digits.replace(/^0+(?=.)/, ''))
  .meta({ example: '13912345678' });
export const latitude = z.number().min(-90).max(90);
export const longitude = z.number().min(-180).max(180);
export const stage = z.enum(STAGES);

export const byId = z.strictObject({ id });

/** A whole number in the query. */
export const wholeNumber = (min: number, max: number) =>
  z.string().regex(/^\d{1,15}$/, { error: () => `expected a whole number from ${min} to ${max}` }).transform(Number).pipe(z.int().min(min).max(max)); // prettier-ignore
/** Query parameters of a page. */
export const MAX_PAGE = 500;
export const pageQuery = {
  limit: wholeNumber(1, MAX_PAGE)
    .optional()
    .meta({ description: `Items a page, at most ${MAX_PAGE}; default 100` }),
  after: z.string().max(1_000).optional().meta({ description: '`next` of the page before' }),
};
export const DEFAULT_PAGE = 100;
export const position = wholeNumber(0, Number.MAX_SAFE_INTEGER);
export const flag = z.enum(['0', '1', 'true', 'false']).transform((text) => text === '1' || text === 'true');
export const fromTo = { from: timeIn.optional(), to: timeIn.optional() };

/** `{items, next}`; `next` is absent on the last page. */
export const pageOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item), next: z.string().optional() });

export const point = z.object({ lat: latitude, lon: longitude });
export const person = z.strictObject({ name, phone: phone.optional() });
export const manager = z.strictObject({ name, phone });

/** A comma-separated list in the query. */
export const listOf = <T extends string>(item: z.ZodType<T, string>) =>
  z.string().transform((text) => text.split(',').map((part) => part.trim()).filter(Boolean)).pipe(z.array(item)); // prettier-ignore

/** Documents that are asked for by name at once: their names fit a request line. */
const MAX_IDS = 100;
/** `?ids=a,b`: documents by name. */
export const idsOf = listOf(id)
  .pipe(z.array(id).min(1).max(MAX_IDS))
  .optional()
  .meta({
    description: `These alone, at most ${MAX_IDS}, without paging or other filters; those that are gone, or not to be seen, are left out`,
  });

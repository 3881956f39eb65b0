/** Values of declared fields, made from the declarations themselves. */
import fc from 'fast-check';
import type { Edition } from '../../protocol/index.js';
import type { Field } from '../../protocol/field/index.js';

const hanzi = [...'电力抢修任务人民路号变压器客户张王李接单出发到达完成拒绝浙京粤测'];
const latin = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._'];
/** Extension characters of GBK whose second byte is 0x7d or 0x7e, and one that only GB18030 has. */
const rare = [...'亇亊丂䶮'];

const isWide = (character: string): boolean => character.charCodeAt(0) > 0x7f;

/** Text of at most `maxBytes` GBK bytes that neither starts nor ends with what decoders cut off. */
export function gbkText(maxBytes: number, minLength = 0): fc.Arbitrary<string> {
  const character = fc.oneof(fc.constantFrom(...latin), fc.constantFrom(...hanzi), fc.constantFrom(...rare));
  return fc.array(character, { minLength, maxLength: 24 }).map((characters) => {
    let used = 0;
    let text = '';
    for (const one of characters) {
      used += isWide(one) ? 4 : 1;
      if (used > maxBytes) break;
      text += one;
    }
    return text === '' && minLength > 0 ? 'x' : text;
  });
}

const twoDigits = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max }).map((value) => String(value).padStart(2, '0'));

export const bcdTime: fc.Arbitrary<string> = fc
  .tuple(twoDigits(0, 99), twoDigits(1, 12), twoDigits(1, 28), twoDigits(0, 23), twoDigits(0, 59), twoDigits(0, 59))
  .map((parts) => parts.join(''));

const digitsOf = (count: number): fc.Arbitrary<string> =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: count, maxLength: count }).map((digits) => digits.join(''));

export const bytesOf = (minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength, maxLength });

/** Canonical values of a field: those that come back the same. `scope` holds the struct's earlier fields. */
export function valuesOf(
  field: Field<unknown>,
  edition: Edition,
  scope: Record<string, unknown> = {},
  name = '',
): fc.Arbitrary<unknown> {
  const { shape } = field;
  switch (shape.kind) {
    case 'uint': {
      const any = fc.integer({ min: 0, max: 2 ** (8 * shape.bytes) - 1 });
      const known = Object.keys(shape.words ?? {}).map(Number);
      return known.length === 0 ? any : fc.oneof(fc.constantFrom(...known), any);
    }
    case 'bcd':
      return shape.time === true ? bcdTime : digitsOf(shape.digits);
    case 'text':
      return gbkText(shape.bytes ?? 60);
    case 'bytes':
      // A tail of more bytes could look like one more item.
      if (name === 'trailing') return bytesOf(0, 1);
      return shape.bytes === undefined ? bytesOf(0, 40) : bytesOf(shape.bytes, shape.bytes);
    case 'joined':
      return fc.array(gbkText(20, 1), { maxLength: 5 });
    case 'struct':
      return structs(Object.entries(shape.fields), edition, {});
    case 'list':
    case 'items':
      return fc.array(valuesOf(shape.item, edition), { maxLength: 4 });
    case 'countOf':
      return fc.constant(undefined);
    case 'twice':
      return valuesOf(shape.inPacket, edition);
    case 'sized':
      return valuesOf(shape.item, edition, scope, name);
    case 'byEdition':
      return valuesOf(shape.pick(edition), edition, scope, name);
    case 'since':
      return edition >= shape.edition ? valuesOf(shape.item, edition, scope, name) : fc.constant(undefined);
    case 'until':
      return edition <= shape.edition ? valuesOf(shape.item, edition, scope, name) : fc.constant(undefined);
    case 'when':
      return shape.test(scope, edition) ? valuesOf(shape.item, edition, scope, name) : fc.constant(undefined);
    case 'optional':
      if (shape.item.shape.kind === 'text' && shape.item.shape.bytes === undefined) {
        return fc.option(gbkText(60, 1), { nil: undefined });
      }
      return fc.option(valuesOf(shape.item, edition, scope, name), { nil: undefined });
    case 'either':
      return valuesOf(shape.first, edition, scope, name);
  }
}

/** Field by field, because a condition looks at earlier ones. */
function structs(
  fields: [string, Field<unknown>][],
  edition: Edition,
  scope: Record<string, unknown>,
): fc.Arbitrary<Record<string, unknown>> {
  const [first, ...others] = fields;
  if (first === undefined) return fc.constant(scope);
  const [name, field] = first;
  if (field.shape.kind === 'countOf') {
    const { list } = field.shape;
    return structs(others, edition, scope).map((value) => ({ ...value, [name]: (value[list] as unknown[]).length }));
  }
  return valuesOf(field, edition, scope, name).chain((value) =>
    structs(others, edition, value === undefined ? scope : { ...scope, [name]: value }),
  );
}

import {
  bits,
  bytes,
  byEdition,
  either,
  fixedText,
  list,
  named,
  optional,
  rest,
  sized,
  struct,
  countedText,
  text,
  time,
  u16,
  u32,
  u8,
  bcd,
  type Field,
} from '../../field/index.js';
import { gnssBits, radioBits, terminalTypeBits } from '../bits.js';

/** Bodies of registration, authentication, keeping the link and the device itself (reference 2, 5.4, 5.5). */

export const empty = struct({});

const plateColours: Record<number, string> = {
  0: 'none, the plate field holds the VIN',
  1: 'blue',
  2: 'yellow',
  3: 'black',
  4: 'white',
  5: 'green',
  9: 'other',
  91: 'agricultural yellow',
  92: 'agricultural green',
  93: 'yellow-green',
  94: 'gradient green',
};

export const acknowledgement = struct({
  replySerial: u16,
  replyId: u16,
  result: named(u8, { 0: 'success', 1: 'failure', 2: 'malformed', 3: 'not supported', 4: 'alarm handled' }),
});

const registerWith = (maker: Field<string>, model: Field<string>, terminalId: Field<string>) =>
  struct({ province: u16, city: u16, maker, model, terminalId, plateColour: named(u8, plateColours), plate: text });

const register2011 = registerWith(fixedText(5), fixedText(8, 'space'), fixedText(7));
const register2013 = registerWith(fixedText(5), fixedText(20), fixedText(7));
// 2019 prints "0x00 in front"; terminals fill behind. Both are read.
const register2019 = registerWith(fixedText(11), fixedText(30, 'nulInFront'), fixedText(30));

/** A long header before a body too short for 2019 (76 bytes): firmware that changed its header alone. */
export const register = byEdition({
  2011: register2011,
  2013: register2013,
  2019: either(register2019, either(register2013, register2011)),
});

export const registerAnswer = struct({
  replySerial: u16,
  result: named(u8, {
    0: 'success',
    1: 'vehicle already registered',
    2: 'vehicle not in database',
    3: 'terminal already registered',
    4: 'terminal not in database',
  }),
  token: optional(text),
});

interface Authenticate {
  token: string;
  imei?: string;
  software?: string;
}

const plainToken: Field<Authenticate> = struct({ token: text });
const tokenWithDevice: Field<Authenticate> = struct({
  token: sized(u8, countedText),
  imei: fixedText(15),
  software: fixedText(20),
});

const tokenAlone: Field<Authenticate> = struct({ token: sized(u8, countedText) });
const tokenWithSome: Field<Authenticate> = struct({
  token: sized(u8, countedText),
  imei: fixedText(15),
  software: text,
});

/**
 * Some "2019" terminals leave out what follows the code, or cut the version short; others send the whole body as the code
 * (reference 2.4). A code of ours is too short for its first character to be taken for a length.
 */
export const authenticate: Field<Authenticate> = byEdition({
  2011: plainToken,
  2019: either(tokenWithDevice, either(tokenAlone, either(tokenWithSome, plainToken))),
});

interface ResendParts {
  firstSerial: number;
  parts: number[];
}

/** The count is a byte in 2013 and a word in 2019; readers test which one fits (reference 10.1, row 3). */
export const resendParts: Field<ResendParts> = byEdition({
  2011: struct({ firstSerial: u16, parts: list(u8, u16) }),
  2019: either(struct({ firstSerial: u16, parts: list(u16, u16) }), struct({ firstSerial: u16, parts: list(u8, u16) })),
});

export const timeAnswer = struct({ timeUtc: time });

interface Attributes {
  terminalType: number;
  maker: string;
  model: string;
  terminalId: string;
  iccid: string;
  hardware: string;
  firmware: string;
  gnss: number;
  radio: number;
}

function attributesWith(maker: number, model: number, terminalId: number): Field<Attributes> {
  return struct({
    terminalType: bits(u16, terminalTypeBits),
    maker: fixedText(maker),
    model: fixedText(model),
    terminalId: fixedText(terminalId),
    iccid: bcd(20),
    hardware: sized(u8, countedText),
    firmware: sized(u8, countedText),
    gnss: bits(u8, gnssBits),
    radio: bits(u8, radioBits),
  });
}

/** 2019: the maker has 5 bytes by the table and 11 on some terminals; the length arithmetic decides (reference 5.4). */
export const attributes: Field<Attributes> = byEdition({
  2011: attributesWith(5, 20, 7),
  2019: either(attributesWith(5, 30, 30), attributesWith(11, 30, 30)),
});

const upgradeTypes: Record<number, string> = { 0: 'terminal', 12: 'IC-card reader', 52: 'satellite module' };

export const upgrade = struct({
  type: named(u8, upgradeTypes),
  maker: fixedText(5),
  version: sized(u8, countedText),
  data: sized(u32, rest),
});

export const upgradeResult = struct({
  type: named(u8, upgradeTypes),
  result: named(u8, { 0: 'success', 1: 'failure', 2: 'cancelled' }),
});

export const rsaKey = struct({ e: u32, n: bytes(128) });

import {
  bcd,
  bits,
  byEdition,
  countByte,
  countedText,
  either,
  equals,
  fixedText,
  list,
  named,
  optional,
  rest,
  since,
  sized,
  struct,
  text,
  time,
  twice,
  u16,
  u32,
  u8,
  when,
  type Field,
} from '../../field/index.js';
import { questionFlagBits, textFlagBits } from '../bits.js';

/** Bodies between platform and driver (reference 4). Texts are GBK, their lengths count bytes. */

export const driverText = struct({
  flags: bits(u8, textFlagBits),
  type: since(2019, named(u8, { 1: 'notice', 2: 'service' })),
  text,
});

const listSetting = {
  0: 'delete all',
  1: 'update (replace)',
  2: 'append',
  3: 'modify',
  4: 'delete the listed',
};

interface EventItem {
  id: number;
  /** Empty to delete the event; may be absent when it was read from items without content. */
  content?: string;
}

/** 0x8301: nothing follows type 0. Items of type 4 have an empty content, or none at all (reference 4.2). */
export const eventList = struct({
  setting: named(u8, listSetting),
  items: optional(
    either<EventItem[]>(
      list(countByte, struct({ id: u8, content: sized(u8, countedText) })),
      list(countByte, struct({ id: u8 })),
    ),
  ),
});

export const eventReport = struct({ id: u8 });

export const question = struct({
  flags: bits(u8, questionFlagBits),
  question: sized(u8, countedText),
  answers: answersToEnd(),
});

/** The answers have no count: they fill the rest. */
function answersToEnd(): Field<{ id: number; text: string }[]> {
  const one = struct({ id: u8, text: sized(u16, countedText) });
  return {
    shape: { kind: 'items', item: one },
    read(r) {
      const answers: { id: number; text: string }[] = [];
      while (r.left > 0) {
        r.trace?.enter(`[${answers.length}]`);
        answers.push(one.read(r));
        r.trace?.leave();
      }
      return answers;
    },
    write(w, answers) {
      for (const answer of answers) one.write(w, answer);
    },
  };
}

export const questionAnswer = struct({ replySerial: u16, answerId: u8 });

export const infoMenu = struct({
  setting: named(u8, listSetting),
  items: optional(list(countByte, struct({ type: u8, name: sized(u16, countedText) }))),
});

export const infoRequest = struct({ type: u8, wanted: named(u8, { 0: 'cancel', 1: 'request' }) });

export const infoService = struct({
  type: u8,
  content: sized(byEdition({ 2011: twice(u16, u16), 2013: u16 }), countedText),
});

export const callBack = struct({ flag: named(u8, { 0: 'normal call', 1: 'monitor' }), number: text });

export const phoneBook = struct({
  setting: named(u8, listSetting),
  contacts: optional(
    list(
      countByte,
      struct({
        flag: named(u8, { 1: 'incoming', 2: 'outgoing', 3: 'both' }),
        number: sized(u8, countedText),
        name: sized(u8, countedText),
      }),
    ),
  ),
});

export const waybill = struct({ content: sized(u32, rest) });

interface DriverIdentity {
  /** 1 card inserted (on duty), 2 removed. Not in 2011. */
  status?: number;
  time?: string;
  /** 0 when the card could be read. */
  result?: number;
  name?: string;
  qualification?: string;
  issuer?: string;
  /** YYYYMMDD */
  validUntil?: string;
  identity?: string;
  /** Percent. */
  faceMatch?: number;
  cardUid?: string;
}

const identityOf2013: Field<DriverIdentity> = struct({
  status: named(u8, { 1: 'card inserted', 2: 'card removed' }),
  time,
  result: when(
    equals('status', 1),
    named(u8, { 0: 'ok', 1: 'key authentication failed', 2: 'card locked', 3: 'card removed', 4: 'checksum error' }),
  ),
  name: when(equals('result', 0), sized(u8, countedText)),
  qualification: when(equals('result', 0), fixedText(20)),
  issuer: when(equals('result', 0), sized(u8, countedText)),
  validUntil: when(equals('result', 0), bcd(8)),
  // By the standard from 2019 on; some terminals with a 2013 header send it too.
  identity: when(equals('result', 0), byEdition({ 2011: optional(fixedText(20), 20), 2019: fixedText(20) })),
  // Only in a later supplement.
  faceMatch: when((scope) => scope.identity !== undefined, optional(u8)),
  cardUid: when((scope) => scope.faceMatch !== undefined, optional(fixedText(20), 20)),
});

const identityOf2011: Field<DriverIdentity> = struct({
  name: sized(u8, countedText),
  identity: fixedText(20),
  qualification: fixedText(40),
  issuer: sized(u8, countedText),
});

export const driverIdentity: Field<DriverIdentity> = byEdition({ 2011: identityOf2011, 2013: identityOf2013 });

interface Passthrough {
  type: number;
  content: Uint8Array;
}

const passthroughTypes = {
  0x00: 'GNSS module data',
  0x0b: 'IC card',
  0x41: 'serial port 1',
  0x42: 'serial port 2',
  0xf7: 'peripheral status',
  0xf8: 'peripheral information',
  0xfa: 'Linecrew',
};

const plainPassthrough: Field<Passthrough> = struct({ type: named(u8, passthroughTypes), content: rest });

/** 2011 has two lengths; terminals that send the 2013 form with a 2011 registration are read too. */
export const passthrough: Field<Passthrough> = byEdition({
  2011: either(struct({ type: named(u8, passthroughTypes), content: sized(twice(u32, u16), rest) }), plainPassthrough),
  2013: plainPassthrough,
});

export const compressed = struct({ data: sized(u32, rest) });

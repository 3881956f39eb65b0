import { describe, expect, it } from 'vitest';
import {
  decodeUplink,
  editions,
  encodeDownlink,
  isPassthrough,
  passthroughType,
  unwrapPassthrough,
  wrapPassthrough,
  type DownlinkBody,
  type UplinkBody,
} from '../../protocol/index.js';
import { Bench, reading, start } from './support/terminal.js';

function deliver(bench: Bench, deliveryId: string, body: DownlinkBody, serial?: number): number {
  const content = wrapPassthrough(encodeDownlink({ deliveryId, sentAtMs: bench.now, body }));
  const used = bench.platform.say('passthroughDown', { type: passthroughType, content }, serial);
  bench.flush();
  return used;
}

/** What the application said, oldest first. */
function said(bench: Bench): UplinkBody[] {
  return bench.platform.of(0x0900).map(({ message }) => {
    if (message?.name !== 'passthroughUp') throw new Error('0x0900 expected');
    expect(isPassthrough(message.body.type, message.body.content)).toBe(true);
    return decodeUplink(unwrapPassthrough(message.body.content)).body;
  });
}

function order(n: number, contentVersion = 1, leg = 1): DownlinkBody {
  return {
    kind: 'orderUpsert',
    orderId: `o-${n}`,
    leg,
    contentVersion,
    number: `20260314-000${n}`,
    address: '建设路1号',
    lat: 36.62,
    lon: 101.35,
    priority: 'normal',
    arrivalMode: 'automatic',
  };
}

function entry(n: number, leg = 1): { orderId: string; leg: number; contentVersion: number } {
  return { orderId: `o-${n}`, leg, contentVersion: 1 };
}

describe.each(editions)('login, edition %i', (edition) => {
  it('registers, keeps the code, authenticates, and registers only once', () => {
    const bench = new Bench('tracker', edition).connect();
    expect(bench.platform.of(0x0100)[0]!.message).toMatchObject({
      name: 'register',
      body: { maker: 'LCSIM', model: 'SIM-1', terminalId: 'S000001', plate: '京A12345' },
    });
    expect(bench.platform.of(0x0102)[0]!.message).toMatchObject({ name: 'authenticate', body: { token: 'code-1' } });
    expect(bench.terminal.online).toBe(true);
    bench.terminal.closed(bench.now, 'test');
    bench.connect();
    expect(bench.platform.of(0x0100)).toHaveLength(1);
    expect(bench.platform.of(0x0102)).toHaveLength(2);
  });

  it('registers again when its code is refused', () => {
    const bench = new Bench('tracker', edition).connect();
    bench.terminal.closed(bench.now, 'test');
    bench.platform.authResult = 1;
    bench.platform.code = 'code-2';
    bench.linked = false;
    bench.connect();
    bench.linked = true;
    bench.platform.push(bench.wire.at(-1)!);
    bench.platform.authResult = 0;
    bench.flush();
    expect(bench.platform.of(0x0102).at(-1)!.message).toMatchObject({ body: { token: 'code-2' } });
    expect(bench.terminal.online).toBe(true);
  });

  it('reports a position with its own time in GMT+8', () => {
    const bench = new Bench('tracker', edition).connect();
    bench.terminal.report(reading(start), bench.now);
    bench.flush();
    expect(bench.platform.of(0x0200)[0]!.message).toMatchObject({
      name: 'location',
      body: {
        time: '260314160000',
        latitudeE6: 36_620_000,
        longitudeE6: 101_350_000,
        speedDeciKmh: 365,
        headingDeg: 90,
      },
    });
    expect(bench.of('confirmed')).toMatchObject([{ report: { kind: 'position' }, result: 0 }]);
  });

  it('sends what was kept without a link: in one 0x0704 as backfill, one by one in 2011', () => {
    const bench = new Bench('tracker', edition);
    for (let i = 0; i < 3; i++) bench.terminal.report(reading(start + i * 10_000), start + i * 10_000);
    bench.now = start + 60_000;
    bench.connect();
    const times = ['260314160000', '260314160010', '260314160020'];
    if (edition === 2011) {
      expect(bench.platform.of(0x0200).map((one) => (one.message!.body as { time: string }).time)).toEqual(times);
      expect(bench.platform.of(0x0704)).toEqual([]);
    } else {
      const body = bench.platform.of(0x0704)[0]!.message!.body as { type: number; locations: { time: string }[] };
      expect(body.type).toBe(1);
      expect(body.locations.map((one) => one.time)).toEqual(times);
    }
    expect(bench.terminal.unconfirmed).toBe(0);
  });

  it('answers a location query with the newest position', () => {
    const bench = new Bench('tracker', edition).connect();
    bench.terminal.report(reading(start), bench.now);
    bench.flush();
    const serial = bench.platform.say('locationQuery', {});
    bench.flush();
    const answer = bench.platform.of(0x0201)[0]!.message!.body as { replySerial?: number; location: { time: string } };
    expect(answer.location.time).toBe('260314160000');
    expect(answer.replySerial).toBe(edition === 2011 ? undefined : serial);
  });
});

describe('repetition', () => {
  it('sends the same bytes again after T, 2T and hangs up 6T later', () => {
    const bench = new Bench('tracker', 2013).connect();
    bench.platform.answers = false;
    bench.terminal.report(reading(start), bench.now);
    bench.flush();
    const sentAt: number[] = [];
    const began = bench.now;
    for (let s = 0; s < 95; s++) {
      const before = bench.platform.of(0x0200).length;
      bench.pass(1000);
      if (bench.platform.of(0x0200).length > before) sentAt.push((bench.now - began) / 1000);
    }
    expect(sentAt).toEqual([10, 30]);
    const copies = bench.platform.of(0x0200);
    expect(new Set(copies.map((one) => one.serial)).size).toBe(1);
    expect(copies[1]!.body).toEqual(copies[0]!.body);
    expect(bench.terminal.takeClose()).toBe('no answer');
  });

  it('gives a report in several parts for confirmed only when each part is, and sends it anew on a new link', () => {
    const bench = new Bench('tracker', 2019);
    const kept = Array.from({ length: 20 }, (_, i) => start + i * 1000);
    for (const at of kept) bench.terminal.report(reading(at), at);
    bench.now = start + 20_000;
    bench.platform.losesPart = 1;
    bench.connect();
    expect(bench.platform.of(0x0704).length).toBeGreaterThan(0);
    expect(bench.terminal.unconfirmed).toBe(kept.length);
    bench.terminal.closed(bench.now, 'test');
    expect(bench.of('confirmed')).toEqual([]);

    bench.platform.losesPart = undefined;
    bench.connect();
    const confirmed = bench.of('confirmed').map(({ report }) => report);
    expect(confirmed).toHaveLength(1);
    expect(confirmed[0]).toMatchObject({ kind: 'batch', items: kept.map((at) => ({ reading: { at } })) });
    expect(bench.terminal.unconfirmed).toBe(0);
  });

  it('keeps a key press over a lost link and sends it with its own time', () => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    bench.platform.answers = false;
    expect(bench.terminal.press('accept', '20260314-0001', bench.now)).toBe(true);
    const pressedAt = bench.now;
    bench.flush();
    bench.now += 600_000;
    bench.terminal.closed(bench.now, 'test');
    bench.platform.answers = true;
    bench.connect();
    const actions = said(bench).filter((body) => body.kind === 'orderAction');
    expect(actions).toHaveLength(2);
    expect(actions[1]).toEqual(actions[0]);
    expect(actions[1]).toMatchObject({ orderId: 'o-1', leg: 1, action: 'accept', atMs: pressedAt });
    expect(bench.terminal.unconfirmed).toBe(0);
  });

  it('takes the same bytes on a new connection for a new command', () => {
    const bench = new Bench('text', 2019).connect();
    const withdraw = { flags: 0x0d, type: 2, text: '20260314-0001 已撤回' };
    bench.platform.say('text', withdraw, 7);
    bench.terminal.closed(bench.now, 'test');
    bench.connect();
    bench.platform.say('text', { flags: 0x0d, type: 2, text: '20260314-0001 建设路1号 停电 13900000000' }, 6);
    bench.flush();
    expect(bench.terminal.orders()).toHaveLength(1);
    bench.platform.say('text', withdraw, 7);
    bench.flush();
    expect(bench.terminal.orders()).toEqual([]);
  });

  it('answers a repeated command with the same bytes and applies it once', () => {
    const bench = new Bench('text', 2019).connect();
    const say = (serial?: number): number => {
      const used = bench.platform.say(
        'text',
        { flags: 0x0d, type: 2, text: '20260314-0001 建设路1号 停电 13900000000' },
        serial,
      );
      bench.flush();
      return used;
    };
    const serial = say();
    const before = bench.wire.length;
    say(serial);
    expect(bench.wire.slice(before)).toEqual([bench.wire[before - 1]]);
    expect(bench.of('order')).toHaveLength(1);
  });
});

describe('the application of a smart terminal', () => {
  it('greets with Hello and Holdings after every login', () => {
    const bench = new Bench('smart', 2013).connect();
    expect(said(bench).map((body) => body.kind)).toEqual(['hello', 'holdings']);
    deliver(bench, 'd1', order(1));
    bench.terminal.closed(bench.now, 'test');
    bench.connect();
    expect(said(bench).at(-1)).toMatchObject({ kind: 'holdings', entries: [entry(1)] });
  });

  it('receipts each delivery every time and shows each order once', () => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    deliver(bench, 'd1', order(1));
    deliver(bench, 'd9', order(1));
    const receipts = said(bench).filter((body) => body.kind === 'receipt');
    expect(receipts.map((one) => one.deliveryId)).toEqual(['d1', 'd1', 'd9']);
    expect(receipts.every((one) => one.result === 'ok' && one.orderId === 'o-1' && one.leg === 1)).toBe(true);
    expect(bench.terminal.orders()).toHaveLength(1);
    expect(bench.of('order')).toHaveLength(1);
  });

  it('shows the order of the newest snapshot, whatever came first', () => {
    const bench = new Bench('smart', 2013).connect();
    for (const n of [1, 2, 3]) deliver(bench, `d${n}`, order(n));
    deliver(bench, 's5', { kind: 'snapshot', revision: 5, entries: [entry(3), entry(1), entry(2)] });
    deliver(bench, 's4', { kind: 'snapshot', revision: 4, entries: [entry(1)] });
    expect(bench.terminal.orders().map((one) => one.orderId)).toEqual(['o-3', 'o-1', 'o-2']);
    const receipts = said(bench).filter((body) => body.kind === 'receipt' && body.revision !== undefined);
    expect(receipts).toMatchObject([
      { deliveryId: 's5', revision: 5 },
      { deliveryId: 's4', revision: 5 },
    ]);
  });

  it('asks for contents that it lacks', () => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    deliver(bench, 's2', { kind: 'snapshot', revision: 2, entries: [entry(1), entry(2)] });
    expect(said(bench).at(-1)).toMatchObject({ kind: 'holdings', deliveryId: 's2', revision: 2, entries: [entry(1)] });
    deliver(bench, 'd2', order(2));
    deliver(bench, 's2', { kind: 'snapshot', revision: 2, entries: [entry(1), entry(2)] });
    expect(said(bench).at(-1)).toMatchObject({ kind: 'receipt', deliveryId: 's2', revision: 2 });
  });

  it('does not bring a removed leg back by a late message, but by a newer version', () => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    deliver(bench, 'r1', { kind: 'remove', orderId: 'o-1', leg: 1, revision: 2, contentVersion: 1 });
    deliver(bench, 'd1b', order(1));
    expect(bench.terminal.orders()).toEqual([]);
    expect(said(bench).at(-1)).toMatchObject({ kind: 'receipt', deliveryId: 'd1b', result: 'ok' });
    deliver(bench, 'd2', order(1, 2));
    expect(bench.terminal.orders()).toMatchObject([{ orderId: 'o-1', contentVersion: 2 }]);
  });

  it('says that it is full', () => {
    const bench = new Bench('smart', 2013, { maxLegs: 2 }).connect();
    for (const n of [1, 2, 3]) deliver(bench, `d${n}`, order(n));
    expect(said(bench).at(-1)).toMatchObject({ kind: 'receipt', deliveryId: 'd3', result: 'full' });
    expect(bench.terminal.orders()).toHaveLength(2);
  });

  it('loses screen and serials by a reboot, but not its code and its unsent keys', () => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    bench.platform.answers = false;
    bench.terminal.press('accept', '20260314-0001', bench.now);
    bench.flush();
    bench.terminal.reboot(bench.now);
    expect(bench.terminal.takeRebooted()).toBe(true);
    expect(bench.terminal.orders()).toEqual([]);
    bench.platform.answers = true;
    const seen = bench.platform.seen.length;
    bench.connect();
    expect(bench.platform.of(0x0100)).toHaveLength(1);
    expect(bench.platform.seen[seen]).toMatchObject({ id: 0x0102, serial: 0 });
    const kinds = said(bench).map((body) => body.kind);
    expect(kinds.slice(-3)).toEqual(['hello', 'orderAction', 'holdings']);
    expect(said(bench).at(-1)).toMatchObject({ kind: 'holdings', revision: 0, entries: [] });
  });

  it('numbers its messages over reboots and never twice', () => {
    const bench = new Bench('smart', 2013).connect();
    bench.terminal.duty('break', bench.now);
    bench.flush();
    bench.terminal.reboot(bench.now);
    bench.connect();
    const sequences = bench.platform.of(0x0900).map(({ message }) => {
      if (message?.name !== 'passthroughUp') throw new Error('0x0900 expected');
      return decodeUplink(unwrapPassthrough(message.body.content)).sequence;
    });
    expect(sequences).toEqual(sequences.map((_, i) => i + 1));
  });
});

describe('a dispatch screen', () => {
  const list = (bench: Bench, texts: [number, string][], setting = 1): void => {
    bench.platform.say('eventList', { setting, items: texts.map(([id, content]) => ({ id, content })) });
    bench.flush();
  };
  const text = (bench: Bench, words: string): void => {
    bench.platform.say('text', { flags: 0x0c, text: words });
    bench.flush();
  };

  it.each([2011, 2013] as const)(
    'shows texts in the order of the list and presses its lines, edition %i',
    (edition) => {
      const bench = new Bench('menu', edition).connect();
      text(bench, '20260314-0012 建设路1号 停电 13900000000');
      text(bench, '20260314-0013 和平路2号 停电 13900000001');
      list(bench, [[1, '0013 接单'], [2, '0013 拒绝'], [3, '0012 接单'], [4, '0012 拒绝'], [5, '暂离']]); // prettier-ignore
      expect(bench.terminal.orders().map((one) => one.number)).toEqual(['20260314-0013', '20260314-0012']);
      expect(bench.terminal.orders()[0]!.steps).toEqual(['accept', 'refuse']);
      expect(bench.terminal.press('accept', '20260314-0012', bench.now)).toBe(true);
      expect(bench.terminal.press('arrive', '20260314-0012', bench.now)).toBe(false);
      expect(bench.terminal.duty('break', bench.now)).toBe(true);
      bench.flush();
      expect(bench.platform.of(0x0301).map((one) => one.message!.body)).toEqual([{ id: 3 }, { id: 5 }]);
    },
  );

  it('tells two labels of different days apart', () => {
    const bench = new Bench('menu', 2013).connect();
    text(bench, '20260321-0012 建设路1号 停电 13900000000');
    text(bench, '20260322-0012 和平路2号 停电 13900000000');
    list(bench, [[7, '22-0012 accept'], [8, '21-0012 accept']]); // prettier-ignore
    expect(bench.terminal.orders().map((one) => one.number)).toEqual(['20260322-0012', '20260321-0012']);
    bench.terminal.press('accept', '20260321-0012', bench.now);
    bench.flush();
    expect(bench.platform.of(0x0301)[0]!.message!.body).toEqual({ id: 8 });
  });

  it('takes an order off when the list names it no more', () => {
    const bench = new Bench('menu', 2013).connect();
    text(bench, '20260314-0012 建设路1号 停电 13900000000');
    list(bench, [[1, '0012 接单']]);
    text(bench, '20260314-0012 已撤回');
    list(bench, [[2, '暂离']]);
    expect(bench.terminal.orders()).toEqual([]);
    expect(bench.of('removed')).toMatchObject([{ number: '20260314-0012' }]);
  });

  it('takes a text without a phone for a reminder, not for the order', () => {
    const bench = new Bench('text', 2013).connect();
    text(bench, '20260314-0012 建设路1号 停电 13900000000');
    text(bench, '20260314-0012 请接单');
    expect(bench.terminal.orders()).toMatchObject([
      { number: '20260314-0012', text: '20260314-0012 建设路1号 停电 13900000000' },
    ]);
    expect(bench.of('urge')).toMatchObject([{ number: '20260314-0012' }]);
  });

  it('appends to, deletes from and empties its list', () => {
    const bench = new Bench('menu', 2013).connect();
    list(bench, [[1, 'a'], [2, 'b']]); // prettier-ignore
    list(bench, [[3, 'c']], 2);
    list(bench, [[1, '']], 4);
    expect(bench.terminal.menu()).toEqual([{ id: 2, text: 'b' }, { id: 3, text: 'c' }]); // prettier-ignore
    bench.platform.say('eventList', { setting: 0 });
    bench.flush();
    expect(bench.terminal.menu()).toEqual([]);
  });

  it('refuses what it cannot do: a list on a text terminal, a text on a tracker', () => {
    const results = (bench: Bench): number[] =>
      bench.platform.of(0x0001).map((one) => (one.message!.body as { result: number }).result);
    const plain = new Bench('text', 2013).connect();
    list(plain, [[1, 'a']]);
    text(plain, '20260314-0012 建设路1号 停电 13900000000');
    expect(results(plain)).toEqual([3, 0]);
    const tracker = new Bench('tracker', 2013).connect();
    text(tracker, '20260314-0012 建设路1号 停电 13900000000');
    expect(results(tracker)).toEqual([3]);
  });
});

describe('commands of the platform', () => {
  it('takes intervals from parameters', () => {
    const bench = new Bench('tracker', 2013).connect();
    const seconds = (value: number): Uint8Array => new Uint8Array([0, 0, 0, value]);
    const parameters = [
      { id: 0x0001, value: seconds(30) },
      { id: 0x0029, value: seconds(5) },
    ];
    bench.platform.say('setParameters', { parameters });
    bench.flush();
    expect(bench.terminal.flash).toMatchObject({ heartbeatMs: 30_000, reportMs: 5_000 });
    bench.pass(31_000);
    expect(bench.platform.of(0x0002)).toHaveLength(1);
  });

  it('confirms unknown commands as not supported', () => {
    const bench = new Bench('tracker', 2013).connect();
    bench.platform.say('queryDriver', {});
    bench.flush();
    expect(bench.platform.of(0x0001)[0]!.message!.body).toMatchObject({ replyId: 0x8702, result: 3 });
  });
});

describe('determinism', () => {
  const run = (): string[] => {
    const bench = new Bench('smart', 2013).connect();
    deliver(bench, 'd1', order(1));
    bench.terminal.press('accept', '20260314-0001', bench.now);
    bench.pass(120_000);
    return bench.wire.map((bytes) => Buffer.from(bytes).toString('hex'));
  };

  it('gives the same bytes for the same inputs', () => {
    expect(run()).toEqual(run());
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBody, limits as wireLimits } from '../../../protocol/index.js';
import {
  authentication,
  frameOf,
  generalReply,
  locationBody,
  messageOf,
  type TerminalForm,
} from '../support/frames.js';
import { SessionWorld } from '../support/session-world.js';

const form: TerminalForm = { phone: '13800138000', edition: 2013 };
const form2019: TerminalForm = { phone: '13800138000', edition: 2019 };
const location = (serial: number, of = form) => frameOf(of, 0x0200, serial, locationBody({ at: 0 }));
const online = (limits = {}, of = form) => {
  const world = new SessionWorld(limits);
  world.login(of);
  world.answers.all.length = 0;
  world.sends = 0;
  return world;
};

describe('the gate', () => {
  it('confirms nothing before the commit, and all of a commit in one send', () => {
    const world = online();
    world.receive(location(1), location(2));
    world.receive(location(3));
    expect(world.sends).toBe(0);
    world.commit();
    expect(world.answers.acks()).toEqual(['0200:1=0', '0200:2=0', '0200:3=0']);
    expect(world.sends).toBe(1);
  });

  it('confirms nothing of a failed commit; what is sent again is confirmed when it is durable', () => {
    const world = online();
    world.receive(location(1), location(2));
    world.commit(false);
    expect(world.answers.all).toEqual([]);
    world.receive(location(1), location(2));
    world.commit();
    expect(world.answers.acks()).toEqual(['0200:1=0', '0200:2=0']);
  });

  it('confirms what it has confirmed before again', () => {
    const world = online();
    for (let i = 0; i < 2; i++) {
      world.receive(location(1));
      world.commit();
    }
    expect(world.answers.acks()).toEqual(['0200:1=0', '0200:1=0']);
  });

  it('answers heartbeats and time queries while nothing can be stored', () => {
    const world = online({}, form2019);
    world.taking = 'shed';
    world.receive(
      frameOf(form2019, 0x0002, 4, Buffer.of(90, 20, 1)),
      frameOf(form2019, 0x0004, 5),
      location(6, form2019),
    );
    expect(world.answers.acks()).toEqual(['0002:4=0']);
    expect(world.answers.of(0x8004)[0]!.body.toString('hex')).toBe('260314010000');
  });

  it('stops reading at the bound of frames in flight, and goes on when half of them are committed', () => {
    const world = online({ inFlightFrames: 4 });
    world.receive(location(1), location(2), location(3));
    expect(world.reading).toBe(true);
    world.receive(location(4));
    expect(world.reading).toBe(false);
    world.commit();
    expect(world.reading).toBe(true);
    expect(world.answers.acks()).toHaveLength(4);
  });

  it('stops reading while the gate is full', () => {
    const world = online();
    world.taking = 'takenFull';
    world.receive(location(1));
    expect(world.reading).toBe(false);
    world.commit();
    expect(world.reading).toBe(true);
  });

  it('answers each frame in its own header form', () => {
    const world = online();
    const longer = { ...form2019 };
    world.receive(location(1), location(2, longer), location(3));
    world.commit();
    expect(world.answers.all.map(({ versionFlag }) => versionFlag)).toEqual([false, true, false]);
  });

  it('gives the same answers however the stream is cut', () => {
    const stream = Buffer.concat([
      location(1),
      frameOf(form, 0x0002, 2),
      Buffer.from('7e7e00112233', 'hex'),
      frameOf(form, 0x0200, 0x7d7e, locationBody({ at: 0, alarm: 0x7e7d7e7d })),
      frameOf(form, 0x0999, 4),
      frameOf(form, 0x0301, 5, Buffer.of(1)),
    ]);
    const answersTo = (chunks: Uint8Array[]) => {
      const world = online();
      world.receive(...chunks);
      world.commit();
      return world.answers.acks().sort();
    };
    const whole = answersTo([stream]);
    expect(whole).toEqual(['0002:2=0', '0200:1=0', '0200:32126=0', '0301:5=0', '0999:4=3']);
    for (let cut = 1; cut < stream.length; cut++) {
      expect(answersTo([stream.subarray(0, cut), stream.subarray(cut)])).toEqual(whole);
    }
  });

  it('answers every frame of a random stream once, whatever is committed when', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('send' as const), frames: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('commit' as const), durable: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = online();
        const expected: string[] = [];
        let waiting: string[] = [];
        let serial = 0;
        for (const one of steps) {
          if (one.do === 'send') {
            const frames = Array.from({ length: one.frames }, () => location(++serial));
            waiting.push(...frames.map((_, i) => `0200:${serial - frames.length + 1 + i}=0`));
            world.receive(Buffer.concat(frames));
          } else {
            world.commit(one.durable);
            if (one.durable) expected.push(...waiting);
            waiting = [];
          }
        }
        expect(world.answers.acks()).toEqual(expected);
        expect(world.session.inFlight).toBe(waiting.length);
      }),
    );
  });
});

describe('bad input of a known terminal', () => {
  it('a location that is too short: result 2 when its bytes are safe in quarantine', () => {
    const world = online();
    world.receive(frameOf(form, 0x0200, 1, Buffer.alloc(27)));
    expect(world.answers.all).toEqual([]);
    expect(world.appended[0]).toMatchObject({ kind: 'unusable', messageId: 0x0200 });
    expect(world.appended[0]!.context).toMatch(/^truncated\n0x0200/);
    world.commit();
    expect(world.answers.acks()).toEqual(['0200:1=2']);
  });

  it('an event report without an id, a passthrough of ours with a broken message: result 2', () => {
    const world = online();
    const broken = encodeBody('passthroughUp', 2013, { type: 0xfa, content: Buffer.from('4c4301ffffffff', 'hex') });
    world.receive(frameOf(form, 0x0301, 1), frameOf(form, 0x0900, 2, broken));
    world.commit();
    expect(world.answers.acks()).toEqual(['0301:1=2', '0900:2=2']);
    expect(world.counters.framesMalformed).toBe(2);
  });

  it('another maker’s passthrough, and a batch with a truncated last item: confirmed', () => {
    const world = online();
    const item = Buffer.concat([Buffer.of(0, 28), locationBody({ at: 0 }).subarray(0, 28)]);
    const batch = Buffer.concat([Buffer.of(0, 2, 1), item, item.subarray(0, 9)]);
    world.receive(frameOf(form, 0x0900, 1, Buffer.from('fa0102', 'hex')), frameOf(form, 0x0704, 2, batch));
    world.commit();
    expect(world.answers.acks()).toEqual(['0900:1=0', '0704:2=0']);
  });

  it('an unknown id: result 3 at once, not stored', () => {
    const world = online();
    world.receive(frameOf(form, 0x0f01, 7, Buffer.of(1)));
    expect(world.answers.acks()).toEqual(['0f01:7=3']);
    expect(world.appended).toEqual([]);
    expect(world.findings).toEqual(['unknownMessage']);
  });

  it('an encrypted body: result 3', () => {
    const world = online();
    world.receive(frameOf(form, 0x0200, 7, locationBody({ at: 0 }), { encryption: 1 }));
    expect(world.answers.acks()).toEqual(['0200:7=3']);
    expect(world.appended).toEqual([]);
  });

  it('a bad checksum, a bad length: no answer, counted, the next frame is read', () => {
    const world = online();
    const bad = Buffer.from(location(1));
    bad[20]! ^= 1;
    const short = frameOf(form, 0x0301, 2, Buffer.of(1, 2, 3));
    const cut = Buffer.concat([short.subarray(0, 14), Buffer.of(0x7e)]);
    world.receive(Buffer.concat([bad, cut, location(3)]));
    world.commit();
    expect(world.answers.acks()).toEqual(['0200:3=0']);
    expect(Object.values(world.counters.framesRefused).reduce((a, b) => a + b, 0)).toBeGreaterThanOrEqual(2);
  });

  it('garbage without end: closed at the limit, with bounded findings', () => {
    const world = online({ loggedFrames: 2 });
    for (let i = 0; i < wireLimits.badCandidates - 1; i++) world.receive(Buffer.from('7e0102030405067e', 'hex'));
    expect(world.closed).toEqual([]);
    world.receive(Buffer.from('7e0102030405067e', 'hex'));
    expect(world.closed).toEqual(['garbage']);
    expect(world.findings).toHaveLength(2);
    world.receive(location(1));
    expect(world.appended).toEqual([]);
  });

  it('garbage before the first sound frame: given up sooner, and in the middle of what came at once', () => {
    const world = new SessionWorld({ strangerCandidates: 5 });
    world.receive(Buffer.from('7e0102030405067e'.repeat(100), 'hex'));
    expect(world.closed).toEqual(['garbage']);
    expect(Object.values(world.counters.framesRefused).reduce((a, b) => a + b, 0)).toBe(5);
    const silent = new SessionWorld({ strangerGarbageBytes: 8 * 1024 });
    for (let i = 0; i < 9; i++) silent.receive(Buffer.alloc(1024, 0x31));
    expect(silent.closed).toEqual(['garbage']);
    // A terminal that begins in the middle of a frame, on a bad line.
    const terminal = new SessionWorld({ strangerCandidates: 5 });
    terminal.receive(Buffer.from('0102030405067e0102037e0102037e0102037e', 'hex'), authentication(form, 1, 'code'));
    expect([terminal.closed, terminal.asked]).toEqual([[], [form.phone]]);
  });

  it('a piece without a flag that never ends: closed, and never more kept than a frame can have', () => {
    const world = online();
    for (let i = 0; i < 70 && world.closed.length === 0; i++) world.receive(Buffer.alloc(1024, 0x31));
    expect(world.closed).toEqual(['garbage']);
  });

  it('a 0x0001 that is too short: quarantined, never answered', () => {
    const world = online();
    world.receive(frameOf(form, 0x0001, 1, Buffer.of(0, 1)));
    world.commit();
    expect(world.answers.all).toEqual([]);
    expect(world.appended[0]!.kind).toBe('unusable');
  });
});

describe('sub-packages', () => {
  const part = (of: TerminalForm, serial: number, total: number, index: number, body = Buffer.of(1, 2, 3)) =>
    frameOf(of, 0x0801, serial, body, { total, index });

  it('confirms each part when it is durable, and the whole with 0x8800', () => {
    const world = online();
    world.receive(part(form, 11, 2, 2, Buffer.of(9)), part(form, 10, 2, 1, Buffer.from('00000102aabb', 'hex')));
    expect(world.appended.map(({ kind }) => kind)).toEqual(['part', 'part']);
    world.commit();
    expect(world.answers.acks()).toEqual(['0801:11=0', '0801:10=0']);
    expect(world.answers.of(0x8800).map(({ body }) => body.toString('hex'))).toEqual(['00000102']);
  });

  // Photos by their media id, as soon as part 1 has said it; all else, and they until then, by the serial of part 1.
  it.each([
    [form, 0x0801, 2, 0x8800, '00000102' + '01' + '0002'],
    [form, 0x0801, 1, 0x8003, '000a' + '01' + '0001'],
    [form2019, 0x0801, 1, 0x8003, '000a' + '0001' + '0001'],
    [form, 0x0704, 2, 0x8003, '000a' + '01' + '0002'],
    [form2019, 0x0704, 2, 0x8003, '000a' + '0001' + '0002'],
  ])('asks for missing parts after 5 s, three times, then no more', (of, messageId, lost, request, body) => {
    const world = online({}, of);
    const rest = [1, 2, 3].filter((index) => index !== lost);
    const data = Buffer.from('00000102aabb', 'hex');
    world.receive(...rest.map((index) => frameOf(of, messageId, 9 + index, data, { total: 3, index })));
    world.commit();
    world.pass(4_999);
    expect(world.answers.of(request)).toEqual([]);
    for (let i = 0; i < 10; i++) world.pass(5_000);
    expect(world.answers.of(request).map((answer) => answer.body.toString('hex'))).toEqual([body, body, body]);
  });

  it('asks a terminal of 2011 for nothing: it has no such message', () => {
    const world = new SessionWorld();
    const of: TerminalForm = { ...form, edition: 2011 };
    world.login(of, 'c', 1, { edition: 2011 });
    world.receive(part(of, 10, 3, 1));
    world.commit();
    for (let i = 0; i < 5; i++) world.pass(5_000);
    expect(world.answers.of(0x8003)).toEqual([]);
  });

  it('refuses numbers outside and totals beyond the limit', () => {
    const world = online();
    world.receive(part(form, 1, 2, 3), part(form, 2, 2, 0), part(form, 3, wireLimits.reassemblyParts + 1, 1));
    expect(world.answers.acks()).toEqual(['0801:1=2', '0801:2=2', '0801:3=2']);
    world.receive(part(form, 4, wireLimits.reassemblyParts, 1));
    expect(world.appended).toHaveLength(1);
  });

  it('counts parts anew when they were not durable', () => {
    const world = online();
    world.receive(part(form, 10, 2, 1));
    world.commit(false);
    world.receive(part(form, 11, 2, 2));
    world.commit();
    expect(world.answers.of(0x8800)).toEqual([]);
    world.receive(part(form, 10, 2, 1));
    world.commit();
    expect(world.answers.of(0x8800)).toHaveLength(1);
    expect(world.answers.acks()).toEqual(['0801:11=0', '0801:10=0']);
  });
});

describe('items for the terminal', () => {
  const text = (chars: number) => [{ messageId: 0x8300, body: Buffer.alloc(chars, 0x41) }];
  const reply = (world: SessionWorld, serial: number, replySerial: number, result = 0, replyId = 0x8300) => {
    world.receive(generalReply(form, serial, replySerial, replyId, result));
    world.commit();
  };

  it('gets serials, is repeated byte by byte, and ends with a durable 0x0001', () => {
    const world = online();
    const first = world.link!.write('d1', text(10));
    const again = world.link!.write('d1', text(99));
    expect(again).toEqual(first);
    const [one, two] = world.answers.all;
    expect(two).toEqual(one);
    expect(one!.serial).toBe(first!.serials[0]);

    world.receive(generalReply(form, 5, first!.serials[0], 0x8300, 0));
    expect(world.receipts).toEqual([]);
    expect(world.appended[0]).toMatchObject({ kind: 'receipt', context: 'd1\nok' });
    world.commit();
    expect(world.receipts).toEqual([['d1', 'ok']]);
    expect(world.answers.acks()).toEqual([]);
    expect(world.link!.write('d1', text(10))!.serials[0]).not.toBe(first!.serials[0]);
  });

  it('stays outstanding when the answer was not durable', () => {
    const world = online();
    const { serials } = world.link!.write('d1', text(10))!;
    world.receive(generalReply(form, 5, serials[0], 0x8300, 0));
    world.commit(false);
    expect(world.receipts).toEqual([]);
    expect(world.link!.write('d1', [])!.serials).toEqual(serials);
  });

  it('is refused by result 1, 2 and 3', () => {
    const world = online();
    const results = [1, 2, 3].map((result) => {
      const { serials } = world.link!.write(`d${result}`, text(1))!;
      reply(world, result, serials[0], result);
      return world.receipts.at(-1)![1];
    });
    expect(results).toEqual(['refused', 'malformed', 'unsupported']);
  });

  it('is split, and any serial of its range answers it', () => {
    const world = online();
    const { serials } = world.link!.write('d1', text(2000))!;
    expect(world.answers.all.map(({ total, index }) => [total, index])).toEqual([
      [3, 1],
      [3, 2],
      [3, 3],
    ]);
    expect(serials[1] - serials[0]).toBe(2);
    reply(world, 1, serials[1]);
    expect(world.receipts).toEqual([['d1', 'ok']]);
  });

  it('of several messages ends with the last answer, or the first refusal', () => {
    const world = online();
    const list = [...text(5), { messageId: 0x8301, body: Buffer.of(0) }];
    const { serials } = world.link!.write('d1', list)!;
    reply(world, 1, serials[0]);
    expect(world.receipts).toEqual([]);
    expect(world.appended.at(-1)!.kind).toBe('partReceipt');
    reply(world, 2, serials[1], 0, 0x8301);
    expect(world.receipts).toEqual([['d1', 'ok']]);
  });

  it('with a dedicated reply ends with that, not with a 0x0001 that says received', () => {
    const world = online();
    const { serials } = world.link!.write('d1', [{ messageId: 0x8201, body: Buffer.alloc(0), answeredBy: 0x0201 }])!;
    reply(world, 1, serials[0], 0, 0x8201);
    expect(world.receipts).toEqual([]);
    const answer = Buffer.concat([
      Buffer.of(serials[0] >> 8, serials[0] & 255),
      locationBody({ at: Date.UTC(2026, 1, 1) }),
    ]);
    world.receive(frameOf(form, 0x0201, 2, answer));
    world.commit();
    expect(world.receipts).toEqual([['d1', 'ok']]);
    expect(world.answers.acks()).toEqual([]);
  });

  it('that is not outstanding is logged as such and kept', () => {
    const world = online();
    reply(world, 1, 999);
    expect(world.findings).toEqual(['unmatchedAnswer']);
    expect(world.appended[0]).toMatchObject({ kind: 'frame', messageId: 0x0001 });
  });

  it('is bounded in number, and waits while the peer takes nothing', () => {
    const world = online({ outstandingDeliveries: 2 });
    expect(world.link!.write('a', text(1))).toBeDefined();
    expect(world.link!.write('b', text(1))).toBeDefined();
    expect(world.link!.write('c', text(1))).toBeUndefined();
    world.link!.forget('a');
    expect(world.link!.write('c', text(1))).toBeDefined();
    world.sendable = false;
    expect(world.link!.write('d', text(1))).toBeUndefined();
  });

  it('cannot be written after another connection took over', () => {
    const world = online();
    const { link } = world;
    world.session.supersede(world.nowMs);
    expect(link!.write('d1', text(1))).toBeUndefined();
    expect([world.downs, world.finished]).toEqual([['takenOver'], true]);
    world.receive(location(1));
    world.commit();
    expect(world.appended).toHaveLength(1);
    expect(world.answers.all).toEqual([]);
    world.pass(60_000);
    expect(world.closed).toEqual(['takenOver']);
  });

  it('serves 0x0005 with the same parts again', () => {
    const world = online({}, form2019);
    const { serials } = world.link!.write('d1', text(2000))!;
    const [, second, third] = [...world.answers.all];
    world.answers.all.length = 0;
    const asks = encodeBody('resendDownlink', 2019, { firstSerial: serials[0], parts: [2, 3] });
    world.receive(messageOf(form2019, 'heartbeat', 0x0002, 8, {}), frameOf(form2019, 0x0005, 9, asks));
    expect(world.answers.all.slice(1)).toEqual([second, third]);
  });
});

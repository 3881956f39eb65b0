import { describe, expect, it } from 'vitest';
import { defaultLimits } from '../../../gateway/limits.js';
import { hashCode } from '../../../gateway/session/credentials.js';
import { authentication, frameOf, identity, locationBody, registration, type TerminalForm } from '../support/frames.js';
import { factsFor, SessionWorld } from '../support/session-world.js';

const phone = '13800138000';
const forms: TerminalForm[] = [2011, 2013, 2019].map((edition) => ({ phone, edition: edition as 2011 | 2013 | 2019 }));
const form = forms[1]!;
const location = (serial: number, of = form) => frameOf(of, 0x0200, serial, locationBody({ at: 0 }));

describe.each(forms)('registration and authentication, edition $edition', (own) => {
  it('asks who the number is, answers 0x0100 with the code, and lets 0x0102 in', () => {
    const world = new SessionWorld();
    world.receive(registration(own, 5));
    expect(world.asked).toEqual([phone]);
    expect(world.reading).toBe(false);

    world.session.identified(factsFor(phone, []), world.nowMs);
    expect(world.reading).toBe(true);
    expect(world.registrations).toEqual([{ phone, identity, edition: own.edition, plate: '京A12345' }]);

    const facts = factsFor(phone, ['new-code']);
    world.session.registered({ result: 0, code: 'new-code', facts }, world.nowMs);
    const [reply] = world.answers.of(0x8100);
    expect(reply).toMatchObject({ phone, versionFlag: own.edition === 2019 });
    expect(reply!.body.toString('latin1')).toBe('\x00\x05\x00new-code');

    world.receive(authentication(own, 6, 'new-code'));
    expect(world.claims).toEqual([{ facts, codeSha256: hashCode('new-code'), edition: own.edition }]);
    expect(world.answers.acks()).toEqual([]);
    world.session.claimed(9, world.nowMs);
    expect(world.answers.acks()).toEqual(['0102:6=0']);
    expect(world.link).toMatchObject({ vehicleId: `v-${phone}`, phone, edition: own.edition, fence: 9 });
  });

  it('works the same when every byte comes alone', () => {
    const world = new SessionWorld();
    const bytes = Buffer.concat([authentication(own, 1, 'c0de'), location(2, own)]);
    for (const byte of bytes) world.receive(Uint8Array.of(byte));
    world.session.identified(factsFor(phone, ['c0de']), world.nowMs);
    world.session.claimed(1, world.nowMs);
    world.commit();
    expect(world.answers.acks()).toEqual(['0102:1=0', '0200:2=0']);
  });
});

describe('before authentication', () => {
  it('holds what comes behind 0x0102 until the claim is answered, in one chunk or in many', () => {
    const world = new SessionWorld();
    world.receive(Buffer.concat([authentication(form, 1, 'c'), location(2), location(3)]));
    expect(world.appended).toEqual([]);
    world.session.identified(factsFor(phone, ['c']), world.nowMs);
    expect(world.appended).toEqual([]);
    world.session.claimed(1, world.nowMs);
    expect(world.appended.map(({ serial }) => serial)).toEqual([2, 3]);
    expect(world.answers.acks()).toEqual(['0102:1=0']);
  });

  it('accepts no data: result 1, which makes firmware register', () => {
    const world = new SessionWorld();
    world.receive(location(1), frameOf(form, 0x0002, 2));
    world.session.identified(factsFor(phone, ['c']), world.nowMs);
    expect(world.answers.acks()).toEqual(['0200:1=1', '0002:2=1']);
    expect(world.appended).toEqual([]);
    expect(world.counters.framesUnauthenticated).toBe(2);
  });

  it('treats a number that is not on file the same, and lets it register', () => {
    const world = new SessionWorld();
    world.receive(authentication(form, 1, 'c'), location(2));
    world.session.identified(undefined, world.nowMs);
    expect(world.answers.acks()).toEqual(['0102:1=1', '0200:2=1']);
    world.receive(registration(form, 3));
    expect(world.registrations).toHaveLength(1);
    world.session.registered({ result: 4, reason: 'unknown' }, world.nowMs);
    expect(world.answers.of(0x8100)[0]!.body.toString('hex')).toBe('000304');
  });

  it('closes a stranger that does not stop, at the limit and not before', () => {
    const world = new SessionWorld({ unauthenticatedFrames: 3 });
    world.receive(location(1), location(2));
    world.session.identified(undefined, world.nowMs);
    expect(world.closed).toEqual([]);
    world.receive(location(3));
    expect(world.closed).toEqual(['unauthenticatedTraffic']);
    expect(world.answers.acks()).toHaveLength(3);
  });

  it('refuses a wrong code and closes after the third', () => {
    const world = new SessionWorld();
    world.receive(authentication(form, 1, 'wrong'));
    world.session.identified(factsFor(phone, ['right']), world.nowMs);
    world.receive(authentication(form, 2, 'wrong'));
    expect(world.closed).toEqual([]);
    world.receive(authentication(form, 3, ''));
    expect(world.answers.acks()).toEqual(['0102:1=1', '0102:2=1', '0102:3=1']);
    expect(world.closed).toEqual(['authenticationRefused']);
    expect(world.claims).toEqual([]);
  });

  it('takes the old code as long as it is on file, and none of a blocked terminal', () => {
    const world = new SessionWorld();
    world.receive(authentication(form, 1, 'old'));
    world.session.identified(factsFor(phone, ['old', 'new']), world.nowMs);
    expect(world.claims[0]!.codeSha256).toBe(hashCode('old'));

    const blocked = new SessionWorld();
    blocked.receive(authentication(form, 1, 'old'));
    blocked.session.identified(factsFor(phone, ['old'], { blocked: true }), blocked.nowMs);
    expect(blocked.answers.acks()).toEqual(['0102:1=1']);
  });

  it('stays silent when the directory or the claim failed, and asks again at the next frame', () => {
    const world = new SessionWorld();
    world.receive(authentication(form, 1, 'c'));
    world.session.identified('failed', world.nowMs);
    expect(world.answers.all).toEqual([]);
    expect(world.reading).toBe(true);
    world.receive(authentication(form, 1, 'c'));
    expect(world.asked).toEqual([phone, phone]);
    world.session.identified(factsFor(phone, ['c']), world.nowMs);
    world.session.claimed('failed', world.nowMs);
    expect(world.answers.all).toEqual([]);
    world.receive(authentication(form, 1, 'c'));
    world.session.claimed(3, world.nowMs);
    expect(world.answers.acks()).toEqual(['0102:1=0']);
  });

  it('is closed when the time for it is over, however many bytes came', () => {
    const world = new SessionWorld();
    for (let ms = 0; ms < defaultLimits.authenticateMs - 1000; ms += 1000) {
      world.receive(Uint8Array.of(0x7e));
      world.pass(1000);
    }
    expect(world.closed).toEqual([]);
    world.pass(1000);
    expect(world.closed).toEqual(['notAuthenticated']);
  });

  it('answers a malformed 0x0100 with result 2 and asks nobody', () => {
    const world = new SessionWorld();
    world.receive(frameOf(form, 0x0100, 1, Buffer.alloc(10)));
    world.session.identified(undefined, world.nowMs);
    expect(world.answers.acks()).toEqual(['0100:1=2']);
    expect(world.registrations).toEqual([]);
  });

  it('bounds what it holds while it waits', () => {
    const world = new SessionWorld({ heldBytes: 200 });
    world.receive(location(1), location(2), location(3), location(4));
    expect(world.closed).toEqual([]);
    world.receive(location(5));
    expect(world.closed).toEqual(['heldTooMuch']);
  });

  it('allows a few registrations and no more', () => {
    const world = new SessionWorld({ registrations: 2 });
    world.receive(registration(form, 1));
    world.session.identified(undefined, world.nowMs);
    for (const serial of [1, 2]) {
      world.session.registered({ result: 4, reason: 'unknown' }, world.nowMs);
      world.receive(registration(form, serial + 1));
    }
    expect(world.registrations).toHaveLength(2);
    expect(world.closed).toEqual(['tooManyRegistrations']);
  });
});

describe('on an authenticated connection', () => {
  it('answers 0x0100 with a fresh code and goes on', () => {
    const world = new SessionWorld();
    world.login(form);
    world.receive(registration(form, 2), location(3));
    const facts = factsFor(phone, ['secret-code', 'fresh']);
    world.session.registered({ result: 0, code: 'fresh', facts }, world.nowMs);
    world.commit();
    expect(world.answers.of(0x8100)).toHaveLength(1);
    expect(world.answers.acks()).toEqual(['0102:1=0', '0200:3=0']);
  });

  it('answers another 0x0102 truly without a new claim', () => {
    const world = new SessionWorld();
    world.login(form);
    world.receive(authentication(form, 2, 'secret-code'), authentication(form, 3, 'nonsense'));
    expect(world.answers.acks()).toEqual(['0102:1=0', '0102:2=0', '0102:3=1']);
    expect(world.claims).toHaveLength(1);
  });

  it('tells when the terminal changes to another of its codes', () => {
    const world = new SessionWorld();
    world.login(form);
    world.session.factsChanged(factsFor(phone, ['secret-code', 'fresh']), world.nowMs);
    world.receive(authentication(form, 2, 'fresh'), authentication(form, 3, 'fresh'));
    expect(world.answers.acks()).toEqual(['0102:1=0', '0102:2=0', '0102:3=0']);
    expect(world.codesUsed).toEqual([hashCode('fresh')]);
    expect(world.claims).toHaveLength(1);
  });

  it('refuses the number of another terminal, in its form, and closes when that goes on', () => {
    const world = new SessionWorld({ foreignFrames: 2 });
    world.login(form);
    const other = { phone: '13900139000', edition: 2019 } as const;
    world.receive(location(9, other));
    expect(world.answers.acks().at(-1)).toBe('0200:9=1');
    expect(world.answers.all.at(-1)).toMatchObject({ phone: other.phone, versionFlag: true });
    expect(world.appended).toEqual([]);
    expect(world.findings).toContain('foreignNumber');
    world.receive(location(2));
    expect(world.appended).toHaveLength(1);
    world.receive(location(10, other));
    expect(world.closed).toEqual(['foreignTraffic']);
  });

  it('needs a new authentication after a logout', () => {
    const world = new SessionWorld();
    world.login(form);
    world.receive(frameOf(form, 0x0003, 2), location(3));
    expect(world.answers.acks()).toEqual(['0102:1=0', '0003:2=0', '0200:3=1']);
    expect(world.downs).toEqual(['loggedOut']);
    world.pass(defaultLimits.authenticateMs);
    expect(world.closed).toEqual(['notAuthenticated']);
  });

  it('is closed when it is silent, and not as long as whole frames come', () => {
    const world = new SessionWorld();
    world.login(form);
    for (let i = 0; i < 5; i++) {
      world.pass(defaultLimits.idleMs - 1);
      world.receive(frameOf(form, 0x0002, i));
    }
    expect(world.closed).toEqual([]);
    world.pass(defaultLimits.idleMs - 1);
    world.receive(frameOf(form, 0x0002, 9).subarray(0, 10));
    world.pass(1);
    expect(world.closed).toEqual(['idle']);
    expect(world.downs).toEqual(['idle']);
  });

  it('is closed when the terminal is blocked, moved to another vehicle or deleted', () => {
    const outcomes = [
      factsFor(phone, ['secret-code'], { blocked: true }),
      factsFor(phone, ['secret-code'], { vehicleId: 'other' }),
      undefined,
    ].map((facts) => {
      const world = new SessionWorld();
      world.login(form);
      world.session.factsChanged(facts, world.nowMs);
      return world.closed;
    });
    expect(outcomes).toEqual([['blocked'], ['vehicleChanged'], ['vehicleDeleted']]);
  });
});

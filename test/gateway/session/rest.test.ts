import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { restAfterMs } from '../../../gateway/session/working.js';
import { frameOf, generalReply, locationBody, type TerminalForm } from '../support/frames.js';
import { SessionWorld } from '../support/session-world.js';

/** A session gives back what a silent terminal does not need; nobody outside can tell. */
const form: TerminalForm = { phone: '13800138000', edition: 2013 };
const location = (serial: number, of = form) => frameOf(of, 0x0200, serial, locationBody({ at: 0 }));

const online = () => {
  const world = new SessionWorld();
  world.login(form);
  return world;
};
/** Silence with the sweep of a listener in it, once a second. */
const rest = (world: SessionWorld, ms = restAfterMs) => {
  for (let passed = 0; passed < ms; passed += 1_000) world.pass(1_000);
};

describe('after a silence', () => {
  it('frames are answered in the form that they come in, and another terminal’s are refused', () => {
    const world = online();
    world.receive(location(1));
    world.commit();
    rest(world);
    const other = { phone: '13900139000', edition: 2013 } as const;
    world.receive(location(2), location(3, other), location(4, { ...form, edition: 2019 }));
    world.commit();
    expect(world.answers.acks()).toEqual(['0102:1=0', '0200:1=0', '0200:3=1', '0200:2=0', '0200:4=0']);
    expect(world.answers.all.map(({ versionFlag }) => versionFlag)).toEqual([false, false, false, false, true]);
    expect(world.appended).toHaveLength(3);
  });

  it('items are written in the form of the last frame, and answered', () => {
    const world = online();
    world.receive(location(1, { ...form, edition: 2019 }));
    world.commit();
    rest(world);
    const { serials } = world.link!.write('d1', [{ messageId: 0x8300, body: Buffer.of(0, 0x41) }])!;
    const text = world.answers.of(0x8300)[0]!;
    expect([text.versionFlag, text.phone, text.serial]).toEqual([true, form.phone, serials[0]]);
    rest(world);
    world.receive(generalReply({ ...form, edition: 2019 }, 2, serials[0], 0x8300, 0));
    world.commit();
    expect(world.receipts).toEqual([['d1', 'ok']]);
  });

  it('what waits for the store is answered when it is durable, however long that takes', () => {
    const world = online();
    world.receive(location(1));
    rest(world, 60_000);
    expect(world.session.inFlight).toBe(1);
    world.commit();
    expect(world.answers.acks()).toEqual(['0102:1=0', '0200:1=0']);
  });

  it('missing parts are asked for', () => {
    const world = online();
    world.receive(frameOf(form, 0x0704, 10, Buffer.of(1, 2, 3), { total: 2, index: 1 }));
    world.commit();
    rest(world, 6_000);
    expect(world.answers.of(0x8003)).toHaveLength(1);
  });

  it('the answers to any stream are those that it gets without silences', () => {
    const steps = fc.array(
      fc.record({ serial: fc.nat(0xffff), edition: fc.constantFrom(2013, 2019), silence: fc.nat(5) }),
      {
        maxLength: 20,
      },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const answersOf = (silent: boolean) => {
          const world = online();
          for (const { serial, edition, silence } of all) {
            world.receive(location(serial, { ...form, edition: edition }));
            world.commit();
            if (silent) rest(world, silence * 1_000);
          }
          return world.answers.all.map(({ serial, versionFlag, body }) => [serial, versionFlag, body.toString('hex')]);
        };
        expect(answersOf(true)).toEqual(answersOf(false));
      }),
    );
  });
});

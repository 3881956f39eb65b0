import { describe, expect, it } from 'vitest';
import { encodeParameter, readParameter, type Body } from '../../protocol/index.js';
import { jpeg } from '../../simulator/terminal/jpeg.js';
import { Bench, reading } from './support/terminal.js';

/** Values by name of the newest parameter answer. */
function answered(bench: Bench): Record<string, number | string> {
  const { message } = bench.platform.of(0x0104).at(-1)!;
  if (message?.name !== 'parameters') throw new Error('0x0104 expected');
  const list = message.body.parameters.map(({ id, value }) => readParameter(id, value));
  return Object.fromEntries(list.map(({ id, name = String(id), value }) => [name, value]));
}

const shoot = (more: Partial<Body<'shoot'>> = {}): Body<'shoot'> => ({
  channel: 1, command: 1, intervalS: 0, save: 0, resolution: 1, quality: 3, brightness: 128, contrast: 64, saturation: 64, chroma: 128, ...more,
}); // prettier-ignore

describe.each([2013, 2019] as const)('a device of edition %i', (edition) => {
  it('reads back the parameters that were set, also after a reboot', () => {
    const bench = new Bench('menu', edition).connect();
    bench.platform.say('queryParameters', {});
    bench.flush();
    expect(answered(bench)).toMatchObject({ heartbeatInterval: 60, plate: '京A12345' });
    const changed = [encodeParameter('heartbeatInterval', 45, edition), encodeParameter('speedLimit', 70, edition)];
    bench.platform.say('setParameters', { parameters: changed });
    bench.flush();
    expect(bench.terminal.flash.heartbeatMs).toBe(45_000);
    bench.terminal.reboot(bench.now);
    bench.connect();
    bench.platform.say('querySomeParameters', { ids: [0x0001, 0x0055, 0xf123] });
    bench.flush();
    expect(answered(bench)).toEqual({ heartbeatInterval: 45, speedLimit: 70 });
  });

  it('has room for a bounded number of parameters', () => {
    const bench = new Bench('menu', edition).connect();
    const parameters = Array.from({ length: 120 }, (_, i) => ({ id: 0xf000 + i, value: Uint8Array.of(i) }));
    const more = parameters.map(({ id, value }) => ({ id: id + 0x200, value }));
    const serials = [parameters, more].map((all) => bench.platform.say('setParameters', { parameters: all }));
    bench.flush();
    const results = bench.platform.of(0x0001).flatMap(({ message }) => {
      if (message?.name !== 'terminalAck' || message.body.replyId !== 0x8103) return [];
      return [[message.body.replySerial, message.body.result]];
    });
    expect(results).toEqual([
      [serials[0], 0],
      [serials[1], 1],
    ]);
  });

  it('says what it is', () => {
    const bench = new Bench('menu', edition).connect();
    bench.platform.say('queryAttributes', {});
    bench.flush();
    expect(bench.platform.of(0x0107)[0]!.message).toMatchObject({
      name: 'attributes',
      body: { maker: 'LCSIM', model: 'SIM-1', terminalId: 'S000001' },
    });
  });

  it('takes photos, says which, and uploads each with its place', () => {
    const bench = new Bench('menu', edition).connect();
    bench.terminal.report(reading(0), bench.now);
    bench.flush();
    const serial = bench.platform.say('shoot', shoot({ command: 2, channel: 3 }));
    bench.flush();
    expect(bench.platform.of(0x0805)[0]!.message).toMatchObject({
      body: { replySerial: serial, result: 0, mediaIds: [1, 2] },
    });
    // Later parts of an upload are no bodies of their own.
    const heads = bench.platform
      .of(0x0801)
      .flatMap(({ message }) => (message?.name === 'mediaData' ? [message.body] : []))
      .filter(({ data }) => data[0] === 0xff && data[1] === 0xd8 && data[2] === 0xff);
    expect(heads).toMatchObject([
      { mediaId: 1, type: 0, format: 0, channel: 3 },
      { mediaId: 2, type: 0, format: 0, channel: 3 },
    ]);
    expect(heads.every(({ location }) => location !== undefined)).toBe(true);
    // Confirmed part by part: nothing is repeated, and the link stays.
    const sent = bench.platform.of(0x0801).length;
    bench.pass(120_000);
    expect(bench.platform.of(0x0801)).toHaveLength(sent);
    expect(bench.terminal.online).toBe(true);
  });

  it('sends the parts of a long message again that the platform lacks, the same bytes, and nothing else', () => {
    const bench = new Bench('menu', edition).connect();
    bench.platform.say('shoot', shoot());
    bench.flush();
    const parts = bench.platform.of(0x0801);
    expect(parts.length).toBeGreaterThan(2);
    const firstSerial = parts[0]!.serial;
    const before = bench.platform.seen.length;
    bench.platform.say('resendUplink', { firstSerial, parts: [2, 3] });
    bench.platform.say('resendUplink', { firstSerial, parts: [200] });
    bench.platform.say('resendUplink', { firstSerial: firstSerial - 1, parts: [1] });
    bench.flush();
    const again = bench.platform.seen.slice(before);
    expect(again.map(({ serial, body }) => ({ serial, body }))).toEqual(
      parts.slice(1, 3).map(({ serial, body }) => ({ serial, body })),
    );
  });

  it('stores photos that are not to be uploaded, and takes no video', () => {
    const bench = new Bench('menu', edition).connect();
    bench.platform.say('shoot', shoot({ save: 1 }));
    bench.platform.say('shoot', shoot({ command: 0xffff }));
    bench.flush();
    expect(bench.platform.of(0x0805)).toHaveLength(1);
    expect(bench.platform.of(0x0801)).toEqual([]);
    expect(bench.platform.of(0x0001).at(-1)!.message).toMatchObject({ body: { replyId: 0x8801, result: 3 } });
  });
});

describe('the picture', () => {
  it('is a whole JPEG of the size that was asked for', () => {
    const bytes = jpeg(5, 3, (column, row) => [column * 50, row * 80, 200]);
    expect([...bytes.subarray(0, 4), ...bytes.subarray(-2)]).toEqual([0xff, 0xd8, 0xff, 0xe0, 0xff, 0xd9]);
    const frame = bytes.findIndex((byte, i) => byte === 0xff && bytes[i + 1] === 0xc0);
    expect([...bytes.subarray(frame + 5, frame + 9)]).toEqual([0, 24, 0, 40]);
  });
});

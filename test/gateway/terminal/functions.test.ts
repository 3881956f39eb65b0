import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, encodeParameter } from '../../../protocol/index.js';
import { argumentsOf } from '../../../gateway/commands/terminal.js';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import { answering, generalReply, messageOf, Rig, TOKEN, type Json } from './support.js';

describe('functions of a terminal', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig({ retryS: '1' }).start();
  });
  afterAll(() => rig.stop());

  const call = (vehicle: string, name: string, body?: object, query = '?wait=1') =>
    rig.call('POST', `/vehicles/${vehicle}/terminal/${name}${query}`, body);

  it('queries parameters, in parts where the answer is long, and gives them by name', async () => {
    const form: TerminalForm = { phone: '13900000001', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const parameters = [
      encodeParameter('heartbeatInterval', 60, 2013),
      encodeParameter('plate', '京A12345', 2013),
      { id: 0xf123, value: Uint8Array.of(1, 2) },
    ];
    answering(client, form, ({ messageId, serial: replySerial }, serial) => {
      if (messageId === 0x8106) return [messageOf(form, 'parameters', 0x0104, serial, { replySerial, parameters, trailing: new Uint8Array(0) })];
      if (messageId !== 0x8104) return undefined;
      const body = Buffer.concat([
        Buffer.of(replySerial >> 8, replySerial & 255, 3),
        ...parameters.map((one) => {
          const head = Buffer.alloc(5);
          head.writeUInt32BE(one.id, 0);
          head.writeUInt8(one.value.length, 4);
          return Buffer.concat([head, one.value]);
        }),
      ]);
      return [0, 1].map((i) =>
        frameOf(form, 0x0104, 40_000 + i, body.subarray(i * 12, i === 0 ? 12 : body.length), { total: 2, index: i + 1 }),
      );
    }); // prettier-ignore
    const some = await call(id, 'parameters-query', { names: ['heartbeatInterval', 'plate'] });
    expect(some.status).toBe(200);
    expect(some.json).toMatchObject({
      kind: 'command',
      state: 'receipted',
      command: { name: 'parameters-query' },
      answer: { message: 'parameters', parameters: { heartbeatInterval: { value: 60, unit: 's' }, plate: '京A12345' } },
    });
    const all = await call(id, 'parameters-query');
    await rig.until(async () => {
      const { json } = await rig.call('GET', `/vehicles/${id}/deliveries`);
      return json.items.find((item: Json) => item.id === all.json.id)?.answer?.parameters['0xf123'] === '0102';
    }, 'the answer in parts');
    await client.end();
  });

  it('sets parameters by name with the widths of the table, and refuses what the terminal would not take', async () => {
    const form: TerminalForm = { phone: '13900000002', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    const { status, json } = await call(id, 'parameters-set', { parameters: { intervalDefault: 30, displacementRadius: 50 } });
    expect([status, json.state]).toEqual([200, 'receipted']);
    const [set] = client.answers.of(0x8103);
    expect(set!.body.toString('hex')).toBe('02' + '00000029' + '04' + '0000001e' + '00000031' + '02' + '0032');
    const wrong = async (parameters: object, more: object = {}) =>
      (await call(id, 'parameters-set', { parameters, ...more })).json;
    expect(await wrong({ nonsense: 1 })).toMatchObject({ status: 422, code: 'invalidValue' });
    expect(await wrong({ intervalDefault: -1 })).toMatchObject({ status: 422, code: 'invalidValue' });
    expect(await wrong({ tcpPort: 7808 }, { confirm: true })).toMatchObject({ code: 'invalidValue', detail: expect.stringContaining('2019') });
    expect(await wrong({ mainServer: 'elsewhere' })).toMatchObject({ code: 'invalidValue', detail: expect.stringContaining('confirm') });
    expect(await wrong({})).toMatchObject({ status: 422, code: 'invalidBody' });
    expect(client.answers.of(0x8103)).toHaveLength(1);
    await client.end();
  }); // prettier-ignore

  it('asks for a position, measures the clock with it, and reads the attributes', async () => {
    const form: TerminalForm = { phone: '13900000003', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    const aheadMs = 120_000;
    answering(client, form, ({ messageId, serial: replySerial }, serial) => {
      if (messageId === 0x8201) {
        const place = locationBody({ at: Date.now() + aheadMs, latE6: 31_234_567 });
        return [frameOf(form, 0x0201, serial, Buffer.concat([Buffer.of(replySerial >> 8, replySerial & 255), place]))];
      }
      if (messageId !== 0x8107) return undefined;
      const attributes = { terminalType: 1, maker: 'ABCDE', model: 'T-1', terminalId: 'X1', iccid: '89860000000000000001', hardware: 'H1', firmware: 'F2', gnss: 3, radio: 32 };
      return [generalReply(form, serial, replySerial, messageId, 0), messageOf(form, 'attributes', 0x0107, serial + 1, attributes)];
    }); // prettier-ignore
    const position = await call(id, 'position');
    expect(position.json).toMatchObject({ state: 'receipted', answer: { lat: 31.234567, fix: true } });
    const clock = await call(id, 'clock-offset');
    const { clockOffsetMs, accuracyMs } = clock.json.answer;
    expect(Math.abs(clockOffsetMs - aheadMs)).toBeLessThanOrEqual(accuracyMs);
    const { json: vehicle } = await rig.call('GET', `/vehicles/${id}`);
    expect(vehicle.terminal.clockOffsetMs).toBe(clockOffsetMs);
    const attributes = await call(id, 'attributes');
    expect(attributes.json.answer).toMatchObject({ maker: 'ABCDE', firmware: 'F2', iccid: '89860000000000000001' });
    await client.end();
  });

  it('asks the driver and keeps the choice in words, although it comes long after the receipt', async () => {
    const form: TerminalForm = { phone: '13900000004', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    const { status, json } = await call(id, 'question', { question: '需要备件吗？', answers: ['需要', '不需要'] }, '');
    expect(status).toBe(202);
    const asked = await client.answer(0x8302);
    expect(decodeBody(0x8302, 2013, asked.body)!.body).toMatchObject({
      question: '需要备件吗？',
      answers: [{ id: 1, text: '需要' }, { id: 2, text: '不需要' }],
    }); // prettier-ignore
    const delivery = async (): Promise<Json> =>
      (await rig.call('GET', `/vehicles/${id}/deliveries`)).json.items.find((item: Json) => item.id === json.id);
    await rig.until(async () => (await delivery()).state === 'receipted', 'the receipt');
    client.send(messageOf(form, 'questionAnswer', 0x0302, 77, { replySerial: asked.serial, answerId: 2 }));
    expect(await client.acknowledged(0x0302, 77)).toBe(0);
    await rig.until(async () => (await delivery()).answer?.text === '不需要', 'the answer');
    await client.end();
  });

  it('writes a restart once, and takes the end of the connection for the answer', async () => {
    const form: TerminalForm = { phone: '13900000005', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    const code = await client.enrol();
    answering(client, form, ({ messageId }) => (messageId === 0x8105 ? [] : undefined));
    const waiting = call(id, 'restart');
    const control = await client.answer(0x8105);
    expect(control.body[0]).toBe(4);
    await client.end();
    expect((await waiting).json).toMatchObject({ state: 'receipted', result: 'linkEnded' });
    const again = await rig.open(form);
    await again.login(code);
    answering(again, form);
    await call(id, 'position', {}, '?wait=0&timeoutS=5');
    await again.answer(0x8201);
    expect(again.answers.of(0x8105)).toHaveLength(0);
    await again.end();
  });

  it('gives up what is not answered, or not connected, in its time', async () => {
    const form: TerminalForm = { phone: '13900000006', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const { json } = await call(id, 'position', {}, '?wait=1&timeoutS=5');
    expect(json).toMatchObject({ state: 'expired', result: 'notConnected', attempts: [] });
  }, 20_000);

  it('says what a terminal has, and refuses the rest with a code', async () => {
    const form: TerminalForm = { phone: '13900000007', edition: 2019 };
    const id = await rig.vehicle(form.phone, 'text');
    const client = await rig.open(form);
    await client.enrol();
    const { json } = await rig.call('GET', `/vehicles/${id}/terminal/functions`);
    const reasons = Object.fromEntries(json.items.map((one: Json) => [one.name, one.supported || one.reason]));
    expect(reasons).toMatchObject({ 'link-test': true, photo: true, text: true, question: 'withdrawn' });
    const refused = await call(id, 'question', { question: 'x', answers: ['a', 'b'] });
    expect(refused.json).toMatchObject({
      status: 409,
      code: 'unsupportedByTerminal',
      details: { reason: 'withdrawn' },
    });
    await rig.call('PATCH', `/vehicles/${id}`, { terminal: { options: { withdrawn: true } } });
    expect((await call(id, 'question', { question: 'x', answers: ['a', 'b'] }, '')).status).toBe(202);
    const tracker = await rig.vehicle('13900000008', 'tracker');
    expect((await call(tracker, 'text', { text: 'x' })).json.details).toEqual({ reason: 'noScreen' });
    expect((await call(tracker, 'link-test')).json.details).toEqual({ reason: 'editionLacks' });
    expect((await call(tracker, 'photo', { count: 0 })).json).toMatchObject({ status: 422, code: 'invalidBody' });
    await client.end();
  });

  it('is used from the command line', async () => {
    const form: TerminalForm = { phone: '13900000009', edition: 2013 };
    const id = await rig.vehicle(form.phone);
    const client = await rig.open(form);
    await client.enrol();
    answering(client, form);
    const cli = ['--import', 'tsx', 'gateway/cli.ts', 'terminal'];
    const run = promisify(execFile);
    const options = ['--http', rig.gateway.url, '--token', TOKEN];
    const { stdout } = await run(process.execPath, [...cli, 'follow', id, 'intervalS=5', 'forS=60', ...options]);
    expect(stdout).toBe('receipted: ok\n');
    expect(client.answers.of(0x8202)[0]!.body.toString('hex')).toBe('0005' + '0000003c');
    await client.end();
  }, 60_000);

  it('reads arguments as JSON where they are', () => {
    expect(argumentsOf(['parameters.intervalDefault=30', 'parameters.plate=京A1', 'names=["a"]', 'confirm=true'])).toEqual({
      parameters: { intervalDefault: 30, plate: '京A1' },
      names: ['a'],
      confirm: true,
    });
    expect(() => argumentsOf(['x'])).toThrow('name=value');
  }); // prettier-ignore
});

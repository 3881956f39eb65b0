/** What a terminal with the app can be asked over MQTT: through the API, on a real connection, as deliveries like any other. */
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { decodeDownlink, encodeUplink, type Downlink, type UplinkBody } from '../../../protocol/index.js';
import { person, Rig, type Json } from '../terminal/support.js';

const SECRET = 'a secret of sixteen';
/** 2026-03-14T09:30:00Z. */
const AT = 1_773_480_600_000;
let rig: Rig;
let terminal: App;
let count = 0;

/** A terminal that answers with what the test says. */
class App {
  readonly heard: Downlink[] = [];
  answers: (downlink: Downlink) => UplinkBody[] = () => [];
  #sequence = 1;

  private constructor(
    readonly phone: string,
    readonly client: MqttClient,
  ) {}

  static async open(phone: string): Promise<App> {
    const url = `mqtt://127.0.0.1:${rig.gateway.ports.mqtt}`;
    const login = { clientId: phone, username: phone, password: SECRET, reconnectPeriod: 0 };
    const app = new App(phone, await connectAsync(url, login));
    app.client.on('message', (_topic, payload) => {
      const downlink = decodeDownlink(payload);
      // The queue is empty: its list says nothing here.
      if (downlink.body.kind === 'snapshot') return;
      app.heard.push(downlink);
      for (const body of app.answers(downlink)) void app.say(body);
    });
    await app.client.subscribeAsync(`linecrew/v1/t/${phone}/down`, { qos: 1 });
    return app;
  }

  async say(body: UplinkBody, sentAtMs = Date.now()): Promise<void> {
    const uplink = encodeUplink({ sequence: this.#sequence++, sentAtMs, body });
    await this.client.publishAsync(`linecrew/v1/t/${this.phone}/up`, Buffer.from(uplink), { qos: 1 });
  }
}

beforeAll(async () => {
  rig = await new Rig({ retryS: '1', mqttPort: '0', mqttHost: '127.0.0.1' }).start();
});
afterAll(() => rig.stop());
afterEach(() => terminal.client.endAsync(true));

/** A vehicle with a terminal on its link. */
async function vehicle(): Promise<string> {
  const phone = String(13_900_001_000 + count++);
  const id = `v-${phone}`;
  await rig.gateway.dispatch.execute(
    {
      type: 'vehicle.create', id, plate: '京A12345', terminal: { phone, secret: SECRET, profile: 'mqtt' }, repairCentreId: 'centre-1',
      trade: 'lowVoltage', crew: { name: 'crew', members: [] },
    },
    person,
  ); // prettier-ignore
  terminal = await App.open(phone);
  return id;
}
const call = (id: string, name: string, body: object = {}, query = '?wait=1') =>
  rig.call('POST', `/vehicles/${id}/terminal/${name}${query}`, body);
const delivery = async (vehicleId: string, id: string): Promise<Json> => {
  const { json } = await rig.call('GET', `/vehicles/${vehicleId}/deliveries`);
  return json.items.find((item: Json) => item.id === id);
};
const receipt = ({ deliveryId }: Downlink, result: 'ok' | 'refused' | 'unsupported' = 'ok'): UplinkBody => ({
  kind: 'receipt',
  deliveryId,
  result,
});

describe('functions of a terminal over MQTT', () => {
  it('asks where it is: the position is answer and receipt in one, and a position like any other', async () => {
    const id = await vehicle();
    const position = {
      atMs: Date.now(), lat: 29.5, lon: 121.25, altitudeM: 12, speedKmh: 36.5, headingDeg: 90, alarm: 0, status: 3,
    }; // prettier-ignore
    terminal.answers = ({ deliveryId }) => [{ kind: 'positions', deliveryId, positions: [position] }];
    const { status, json } = await call(id, 'position');
    expect([status, json.state]).toEqual([200, 'receipted']);
    expect(json.answer).toMatchObject({ message: 'locationAnswer', lat: 29.5, lon: 121.25, speedKmh: 36.5, fix: true });
    expect(terminal.heard.map(({ body }) => body)).toEqual([{ kind: 'positionRequest' }]);
    await rig.until(async () => (await rig.gateway.dispatch.lastPositions([id])).size === 1, 'the position on the map');
  });

  it('asks what it is', async () => {
    const id = await vehicle();
    const hello = {
      kind: 'hello', software: 'crew 2.0', device: 'RT-808A', maxLegs: 20, maxTextChars: 400, capabilities: ['photo'],
      language: 'zh-CN', serialNumber: 'SN-7', firmware: '14.1', iccid: '89860012345678901234',
    } as const; // prettier-ignore
    // At the start it says the same without being asked: nothing waits for that.
    await terminal.say({ ...hello, capabilities: [] });
    terminal.answers = ({ deliveryId }) => [{ ...hello, capabilities: ['photo'], deliveryId }];
    const { status, json } = await call(id, 'attributes');
    expect([status, json.state]).toEqual([200, 'receipted']);
    expect(json.answer).toMatchObject({
      message: 'attributes', software: 'crew 2.0', serialNumber: 'SN-7', firmware: '14.1', capabilities: ['photo'],
      iccid: '89860012345678901234',
    }); // prettier-ignore
  });

  it('measures its clock to the millisecond', async () => {
    const id = await vehicle();
    const position = { atMs: 0, lat: 0, lon: 0, altitudeM: 0, speedKmh: 0, headingDeg: 0, alarm: 0, status: 1 };
    terminal.answers = ({ deliveryId }) => {
      void terminal.say({ kind: 'positions', deliveryId, positions: [position] }, Date.now() + 90_000);
      return [];
    };
    const { json } = await call(id, 'clock-offset');
    const { clockOffsetMs, accuracyMs } = json.answer;
    expect(Math.abs(clockOffsetMs - 90_000)).toBeLessThanOrEqual(accuracyMs);
  });

  it.each([
    ['follow', { intervalS: 5, forS: 300 }, { kind: 'follow', intervalS: 5, forS: 300 }],
    ['follow', { intervalS: 5 }, { kind: 'follow', intervalS: 5, forS: 600 }],
    ['follow', { intervalS: 0 }, { kind: 'follow', intervalS: 0, forS: 0 }],
    ['restart', {}, { kind: 'restart' }],
    ['text', { text: '回站', urgent: true }, { kind: 'notice', text: '回站', urgent: true }],
    ['text', { text: 'quiet', readOut: false }, { kind: 'notice', text: 'quiet', urgent: false, silent: true }],
    ['text', { text: 'aloud', display: false }, { kind: 'notice', text: 'aloud', urgent: false, spokenOnly: true }],
  ])('%s %j goes out as a message with an id, and ends with its receipt', async (name, args, body) => {
    const id = await vehicle();
    terminal.answers = (downlink) => [receipt(downlink)];
    const { status, json } = await call(id, name, args);
    expect([status, json.state]).toEqual([200, 'receipted']);
    expect(terminal.heard).toMatchObject([{ deliveryId: json.id, body }]);
    expect(terminal.heard[0]!.body).toEqual(body);
  });

  it('asks the driver: shown first, answered later, with the words of the choice', async () => {
    const id = await vehicle();
    terminal.answers = (downlink) => [receipt(downlink)];
    const question = { question: '能否接单?', answers: ['能', '不能'], urgent: true };
    const { json } = await call(id, 'question', question, '');
    await rig.until(async () => (await delivery(id, json.id)).state === 'receipted', 'it is shown');
    expect(terminal.heard[0]!.body).toEqual({
      kind: 'question',
      text: '能否接单?',
      choices: ['能', '不能'],
      urgent: true,
    });
    expect((await delivery(id, json.id)).answer).toBeUndefined();
    const atMs = Date.now();
    await terminal.say({ kind: 'answer', deliveryId: json.id, choice: 2, atMs });
    const answered = await rig.until(async () => (await delivery(id, json.id)).answer, 'the answer');
    expect(answered).toMatchObject({ answerId: 2, text: '不能', at: new Date(atMs).toISOString() });
  });

  it('a driver may answer in his own words', async () => {
    const id = await vehicle();
    terminal.answers = (downlink) => [
      receipt(downlink),
      { kind: 'answer', deliveryId: downlink.deliveryId, choice: 0, text: '十分钟后', atMs: AT },
    ];
    const { json } = await call(id, 'question', { question: '几时到?', answers: ['现在', '稍后'] });
    expect(json.answer).toMatchObject({ answerId: 0, text: '十分钟后' });
  });

  it.each(['refused', 'unsupported'] as const)('what it answers with %s is shown as refused', async (result) => {
    const id = await vehicle();
    terminal.answers = (downlink) => [receipt(downlink, result)];
    const { status, json } = await call(id, 'restart');
    expect([status, json.state, json.result]).toEqual([200, 'refused', result]);
  });

  it('without a receipt it is repeated under the same id, then expires; a restart is never repeated', async () => {
    const id = await vehicle();
    const { json } = await call(id, 'text', { text: 'hello' }, '?timeoutS=5');
    await rig.until(async () => (await delivery(id, json.id)).state === 'expired', 'it expires');
    expect(terminal.heard.length).toBeGreaterThan(1);
    expect(new Set(terminal.heard.map(({ deliveryId }) => deliveryId))).toEqual(new Set([json.id]));
    terminal.heard.length = 0;
    const once = await call(id, 'restart', {}, '?timeoutS=5');
    await rig.until(async () => (await delivery(id, once.json.id)).state === 'expired', 'the restart expires');
    expect(terminal.heard.map(({ body }) => body.kind)).toEqual(['restart']);
  }, 30_000);

  it('says which functions it has, and refuses the rest with the reason', async () => {
    const id = await vehicle();
    const { json } = await rig.call('GET', `/vehicles/${id}/terminal/functions`);
    const has = json.items.filter(({ supported }: Json) => supported).map(({ name }: Json) => name);
    expect(has.sort()).toEqual(
      ['attributes', 'clock-offset', 'follow', 'position', 'question', 'restart', 'text'].sort(),
    );
    const refused = await call(id, 'parameters-query');
    expect([refused.status, refused.json.code]).toEqual([409, 'unsupportedByTerminal']);
  });
});

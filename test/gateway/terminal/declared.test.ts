/** Functions that carry one declared message each: what goes on the wire in every edition, its receipt and answer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeBody, messages, toJson, type Edition, type MessageName } from '../../../protocol/index.js';
import { frameOf, type TerminalForm } from '../support/frames.js';
import type { TerminalClient } from '../support/terminal-client.js';
import { answering, generalReply, messageOf, Rig, type Json } from './support.js';

const ENTER_LEAVE = 0x28;
const circle = { id: 7, centre: { lat: -33.5, lon: -70.25 }, radiusM: 250 };
const rectangle = { id: 8, upperLeft: { lat: 31.5, lon: 121 }, lowerRight: { lat: 31.25, lon: 121.5 } };
const corners = [
  { lat: 31, lon: 121 },
  { lat: 32, lon: 121 },
  { lat: 32, lon: 122.5 },
];
const wireCorners = [
  { latitudeE6: 31e6, longitudeE6: 121e6 },
  { latitudeE6: 32e6, longitudeE6: 121e6 },
  { latitudeE6: 32e6, longitudeE6: 122_500_000 },
];

/** Function, arguments, message, and what its body must say in which editions. */
const CALLS: [name: string, args: object, message: MessageName, editions: Edition[], body: object][] = [
  [
    'circle-set',
    { ...circle, speed: { topKmh: 60, forS: 5, nightTopKmh: 40 }, window: { dailyFrom: '08:30:00', dailyTo: '18:00:00' } },
    'setCircles',
    [2011, 2013, 2019],
    {
      setting: 1,
      areas: [{
        id: 7, attributes: ENTER_LEAVE | 0x1 | 0x2 | 0x40 | 0x80, latitudeE6: 33_500_000, longitudeE6: 70_250_000, radiusM: 250,
        startTime: '000000083000', endTime: '000000180000', topSpeedKmh: 60, overspeedS: 5,
      }],
    },
  ],
  ['circle-set', { ...circle, name: '站区', speed: { topKmh: 60, nightTopKmh: 40 } }, 'setCircles', [2019], { areas: [{ nightTopSpeedKmh: 40, name: '站区' }] }],
  ['circle-remove', { ids: [7, 9] }, 'deleteCircles', [2011, 2013, 2019], { ids: [7, 9] }],
  [
    'rectangle-set',
    { ...rectangle, alarms: ['enterDriver'], window: { from: '2026-11-21T08:00:00+08:00', to: '2026-11-22T08:00:00+08:00' } },
    'setRectangles',
    [2011, 2013, 2019],
    {
      areas: [{
        id: 8, attributes: 0x1 | 0x4, upperLatitudeE6: 31_500_000, leftLongitudeE6: 121e6, lowerLatitudeE6: 31_250_000,
        rightLongitudeE6: 121_500_000, startTime: '261121080000', endTime: '261122080000',
      }],
    },
  ],
  ['rectangle-set', { ...rectangle, forbidDoors: true }, 'setRectangles', [2013, 2019], { areas: [{ attributes: ENTER_LEAVE | 0x100 }] }],
  ['rectangle-remove', { all: true }, 'deleteRectangles', [2011, 2013, 2019], { ids: [] }],
  ['polygon-set', { id: 9, points: corners }, 'setPolygon', [2011, 2013, 2019], { id: 9, attributes: ENTER_LEAVE, points: wireCorners }],
  ['polygon-remove', { ids: [9] }, 'deletePolygons', [2011, 2013, 2019], { ids: [9] }],
  [
    'route-set',
    { id: 10, points: corners.map((one) => ({ ...one, widthM: 30, tooLongS: 600, speed: { topKmh: 80 } })) },
    'setRoute',
    [2011],
    { id: 10, points: wireCorners.map((one, i) => ({ segmentId: i + 1, ...one, widthM: 30, attributes: 3, drivingTimeS: 600, topSpeedKmh: 80, overspeedS: 10 })) },
  ],
  [
    'route-set',
    { id: 10, points: corners.map((one) => ({ ...one, widthM: 30, tooLongS: 600, tooShortS: 60 })) },
    'setRoute',
    [2013, 2019],
    { id: 10, points: wireCorners.map((one, i) => ({ pointId: i + 1, segmentId: i + 1, ...one, widthM: 30, attributes: 1, tooLongS: 600, tooShortS: 60 })) },
  ],
  ['route-remove', { ids: [10] }, 'deleteRoutes', [2011, 2013, 2019], { ids: [10] }],
  [
    'phone-book',
    { setting: 'replace', contacts: [{ number: '13800000000', name: '马站长', calls: 'incoming' }] },
    'phoneBook',
    [2011, 2013, 2019],
    { setting: 1, contacts: [{ flag: 1, number: '13800000000', name: '马站长' }] },
  ],
  ['phone-book', { setting: 'clear' }, 'phoneBook', [2011, 2013, 2019], { setting: 0, contacts: [] }],
  ['info-menu', { setting: 'append', items: [{ type: 3, name: '天气' }] }, 'infoMenu', [2011, 2013], { setting: 2, items: [{ type: 3, name: '天气' }] }],
  ['info-menu', { setting: 'clear' }, 'infoMenu', [2011, 2013], { setting: 0 }],
  ['info-send', { type: 3, text: '晴' }, 'infoService', [2011, 2013], { type: 3, content: '晴' }],
  ['recorder-set', { command: 0xc2, data: 'aa75c2000600' }, 'recorderSet', [2011, 2013, 2019], { command: 0xc2, data: 'aa75c2000600' }],
  [
    'send',
    { message: 'control', body: { command: 2, parameters: ['0', 'code', '', '', '', 'example.org', '7611', '7611', '0'] } },
    'control',
    [2011, 2013, 2019],
    { command: 2, parameters: ['0', 'code', '', '', '', 'example.org', '7611', '7611', '0'] },
  ],
  ['power-off', { confirm: true }, 'control', [2011, 2013], { command: 3, parameters: [] }],
  ['data-off', { confirm: true }, 'control', [2011, 2013], { command: 6, parameters: [] }],
  ['radio-off', { confirm: true }, 'control', [2011, 2013], { command: 7, parameters: [] }],
  [
    'server-switch',
    { address: 'gps.example.org', tcpPort: 7611, udpPort: 7612, authCode: 'K7', dialPoint: 'cmnet', user: 'u', password: 'p', forMin: 0, confirm: true },
    'control',
    [2011, 2013, 2019],
    { command: 2, parameters: ['0', 'K7', 'cmnet', 'u', 'p', 'gps.example.org', '7611', '7612', '0'] },
  ],
  [
    'server-switch',
    { address: '192.0.2.7', tcpPort: 7611, confirm: true },
    'control',
    [2013, 2019],
    { command: 2, parameters: ['0', '', '', '', '', '192.0.2.7', '7611', '', '60'] },
  ],
  ['server-return', {}, 'control', [2011, 2013, 2019], { command: 2, parameters: ['1'] }],
  ['send', { message: 'passthroughDown', body: { type: 0x41, content: '0102ff' } }, 'passthroughDown', [2011, 2013, 2019], { type: 0x41, content: '0102ff' }],
]; // prettier-ignore

describe('functions of one message', () => {
  let rig: Rig;
  const forms: TerminalForm[] = [
    { phone: '13900000071', edition: 2011 },
    { phone: '13900000072', edition: 2013 },
    { phone: '13900000073', edition: 2019 },
  ];
  const clients = new Map<Edition, TerminalClient>();
  /** What the terminal answers beside a general reply. */
  const replies = new Map<number, (form: TerminalForm, replySerial: number, serial: number) => Uint8Array[]>();

  beforeAll(async () => {
    rig = await new Rig().start();
    for (const form of forms) {
      await rig.vehicle(form.phone, form.edition === 2019 ? 'text' : 'menu');
      const client = await rig.open(form);
      await client.enrol();
      answering(client, form, ({ messageId, serial: replySerial }, serial) =>
        replies.get(messageId)?.(form, replySerial, serial),
      );
      clients.set(form.edition, client);
    }
  });
  afterAll(async () => {
    for (const client of clients.values()) await client.end();
    await rig.stop();
  });

  const vehicleOf = (edition: Edition): string => `v-${forms.find((form) => form.edition === edition)!.phone}`;
  const call = (edition: Edition, name: string, body: object) =>
    rig.call('POST', `/vehicles/${vehicleOf(edition)}/terminal/${name}?wait=1`, body);

  it.each(CALLS.flatMap(([name, args, message, editions, body]) => editions.map((edition) => [name, edition, message, args, body] as const)))(
    '%s in %i sends %s',
    async (name, edition, message, args, body) => {
      const client = clients.get(edition)!;
      const before = client.answers.of(messages[message].id).length;
      const { status, json } = await call(edition, name, args);
      expect([status, json.state], JSON.stringify(json)).toEqual([200, 'receipted']);
      const sent = client.answers.of(messages[message].id);
      expect(sent).toHaveLength(before + 1);
      const decoded = decodeBody(messages[message].id, edition, sent.at(-1)!.body)!;
      expect(decoded.trailing).toBeUndefined();
      expect(toJson(decoded.body)).toMatchObject(body);
    },
  ); // prettier-ignore

  it.each<[string, object, Edition, RegExp]>([
    ['circle-set', { ...circle, id: 70_000 }, 2013, /id/],
    ['circle-set', { ...circle, forbidDoors: true }, 2011, /2011/],
    ['rectangle-set', { ...rectangle, upperLeft: { lat: 31, lon: 121 } }, 2013, /upperLeft\.lat/],
    ['rectangle-set', { ...rectangle, lowerRight: { lat: -1, lon: 121.5 } }, 2013, /equator/],
    ['route-set', { id: 1, points: [{ lat: 1, lon: 1, widthM: 1, tooShortS: 1 }, { lat: 1, lon: 2, widthM: 1 }] }, 2011, /points\[0\]\.tooShortS/],
    ['circle-remove', { all: true }, 2013, /ids|all/],
    ['phone-book', { setting: 'clear', contacts: [{ number: '1', name: 'x' }] }, 2013, /cleared/],
    ['power-off', {}, 2013, /confirm/],
    ['radio-off', { confirm: false }, 2013, /confirm/],
    ['server-switch', { address: 'gps.example.org', tcpPort: 7611 }, 2013, /confirm/],
    ['server-switch', { address: 'a;b', tcpPort: 7611, confirm: true }, 2013, /semicolon/],
    ['send', { message: 'platformAck', body: {} }, 2013, /message/],
    ['send', { message: 'eventList', body: { setting: 0 } }, 2013, /message/],
    ['send', { message: 'confirmAlarm', body: { alarmSerial: 0, types: 1 } }, 2011, /2011/],
    ['send', { message: 'setPolygon', body: { id: 1 } }, 2013, /body\.attributes/],
  ])('refuses %s %j in %i', async (name, args, edition, why) => {
    const { status, json } = await call(edition, name, args);
    expect(status, JSON.stringify(json)).toBe(422);
    expect(`${json.detail} ${JSON.stringify(json.errors)}`).toMatch(why);
  }); // prettier-ignore

  it('shows nobody the credentials for another server, whoever reads of it afterwards', async () => {
    const secrets = { authCode: 'code-of-the-other', password: 'word-of-the-access' };
    const { lastPosition } = (await rig.call('GET', '/events?limit=1')).json;
    const called = await call(2019, 'server-switch', { address: 'gps.example.org', tcpPort: 7611, confirm: true, ...secrets });
    expect([called.status, called.json.state]).toEqual([200, 'receipted']);
    const shown = [called.json];
    for (const path of [`/vehicles/${vehicleOf(2019)}/deliveries`, `/events?vehicle=${vehicleOf(2019)}&after=${lastPosition}`, '/audit']) {
      const { status, json } = await rig.call('GET', path);
      expect([path, status]).toEqual([path, 200]);
      expect(JSON.stringify(json), path).toContain('server-switch');
      shown.push(json);
    }
    for (const secret of Object.values(secrets)) expect(JSON.stringify(shown)).not.toContain(secret);
  }); // prettier-ignore

  it('has what a later edition removed on older terminals alone', async () => {
    for (const name of ['power-off', 'data-off', 'radio-off']) {
      const { status, json } = await call(2019, name, { confirm: true });
      expect([status, json.details]).toEqual([409, { reason: 'editionLacks' }]);
    }
  });

  it('reads the tachograph and lists areas; the answers are kept with the delivery', async () => {
    replies.set(0x8700, (form, replySerial, serial) => {
      const body = { replySerial, command: 0x03, data: Uint8Array.of(1, 2, 3) };
      return [messageOf(form, 'recorderData', 0x0700, serial, body)];
    });
    replies.set(0x8608, (form, replySerial, serial) => [
      generalReply(form, serial, replySerial, 0x8608, 0),
      messageOf(form, 'areasAnswer', 0x0608, serial + 1, { kind: 2, count: 1, areas: Uint8Array.of(9, 8) }),
    ]);
    for (const edition of [2011, 2013, 2019] as const) {
      const { json } = await call(edition, 'recorder-query', { command: 3 });
      expect(json).toMatchObject({ state: 'receipted', answer: { message: 'recorderData', command: 3, data: '010203' } });
    }
    const { json } = await call(2019, 'areas-query', { kind: 'rectangle' });
    expect(json).toMatchObject({ state: 'receipted', answer: { message: 'areasAnswer', kind: 2, count: 1, areas: '0908' } });
    expect((await call(2013, 'areas-query', { kind: 'rectangle' })).json.details).toEqual({ reason: 'editionLacks' });
  }); // prettier-ignore

  const card = {
    status: 1,
    time: '261121080000',
    result: 0,
    name: '李师傅',
    qualification: 'Q-1',
    issuer: '站',
    validUntil: '20300101',
  };
  const attributesOf = async (edition: Edition): Promise<Json> =>
    (await rig.call('GET', `/vehicles/${vehicleOf(edition)}`)).json.attributes;

  it('asks whose card is in the reader; the answer is confirmed as any other card is', async () => {
    replies.set(0x8702, (form, _replySerial, serial) => [
      messageOf(form, 'driverIdentity', 0x0702, serial, form.edition === 2019 ? { ...card, identity: '110' } : card),
    ]);
    for (const edition of [2013, 2019] as const) {
      const client = clients.get(edition)!;
      const { json } = await call(edition, 'driver-identity', {});
      expect(json).toMatchObject({ state: 'receipted', answer: { message: 'driverIdentity', name: '李师傅', qualification: 'Q-1' } });
      await client.until(() => client.answers.acks().some((ack) => ack.startsWith('0702:') && ack.endsWith('=0')), '0x8001');
      const values = await rig.until(async () => {
        const found = await attributesOf(edition);
        return found.driverName && found;
      }, 'the name');
      expect(values.driverName).toEqual({ value: '李师傅', at: '2026-11-21T00:00:00.000Z' });
    }
    expect((await call(2011, 'driver-identity', {})).json.details).toEqual({ reason: 'editionLacks' });
  }); // prettier-ignore

  it('keeps what terminals say unasked as last values: waybill, wanted information, stored media', async () => {
    const form = forms[1]!;
    const client = clients.get(2013)!;
    client.send(
      messageOf(form, 'waybill', 0x0701, 31, { content: Buffer.from('d4cbb5a5', 'hex') }),
      messageOf(form, 'infoRequest', 0x0303, 32, { type: 3, wanted: 1 }),
      messageOf(form, 'mediaEvent', 0x0800, 33, { mediaId: 77, type: 0, format: 0, event: 3, channel: 1 }),
      frameOf(form, 0x0702, 34, Buffer.from('02' + '261121090000', 'hex')),
    );
    for (const [id, serial] of [[0x0701, 31], [0x0303, 32], [0x0800, 33], [0x0702, 34]] as const)
      expect(await client.acknowledged(id, serial)).toBe(0);
    const values = await rig.until(async () => {
      const found = await attributesOf(2013);
      return found.driverCard?.value === 'removed' && found;
    }, 'the values');
    expect(values).toMatchObject({
      waybill: { value: '运单' },
      info3Wanted: { value: true },
      storedMediaId: { value: 77 },
      storedMediaKind: { value: 'image' },
      driverCard: { value: 'removed', at: '2026-11-21T01:00:00.000Z' },
    });
  }); // prettier-ignore

  it('keeps what was last said on the CAN buses, by bus and id, at the time of day that the terminal gives', async () => {
    const form = forms[1]!;
    const client = clients.get(2013)!;
    const at = Date.now() - 5_000;
    // hh mm ss and milliseconds as four digits, GMT+8.
    const [clock, ms] = [new Date(at + 8 * 3_600_000).toISOString().slice(11, 19).replaceAll(':', ''), at % 1_000];
    const items = ['58fef100' + '0102030405060708', '800007e8' + 'aabbccdd00000000', '78fef200' + 'ffffffffffffff00'];
    const body = Buffer.from(`0003${clock}${String(ms).padStart(4, '0')}${items.join('')}`, 'hex');
    client.send(frameOf(form, 0x0705, 41, body));
    expect(await client.acknowledged(0x0705, 41)).toBe(0);
    const values = await rig.until(async () => {
      const found = await attributesOf(2013);
      return found['can1.18fef100'] && found;
    }, 'the values');
    expect(values).toMatchObject({
      'can1.18fef100': { value: '0102030405060708', at: new Date(at).toISOString() },
      'can2.7e8': { value: 'aabbccdd00000000' },
      'can1.18fef200.average': { value: 'ffffffffffffff00' },
    });
  });

  it('lets administrators alone send messages by name, and says so in the audit log', async () => {
    const { json: token } = await rig.call('POST', '/tokens', { name: 'desk', roles: ['dispatcher'] });
    const as = (secret: string, name: string, body: object) =>
      fetch(`${rig.gateway.url}/api/v1/vehicles/${vehicleOf(2013)}/terminal/${name}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    const refused = await as(token.secret, 'send', { message: 'text', body: { flags: 4, text: 'x' } });
    expect(refused.status).toBe(403);
    for (const name of ['power-off', 'server-return']) {
      expect((await as(token.secret, name, name === 'power-off' ? { confirm: true } : {})).status).toBe(403);
    }
    expect((await call(2013, 'send', { message: 'track', body: { intervalS: 0 } })).status).toBe(200);
    expect((await as(token.secret, 'follow', { intervalS: 0 })).status).toBe(202);
    const notes = await rig.until(async () => {
      const { items } = (await rig.call('GET', '/audit?limit=200')).json;
      const found = items.filter(({ action }: Json) => action === 'terminal.maintain');
      return found.length >= 2 && found;
    }, 'the audit log');
    const made = notes.map(({ status, path }: Json) => [status, path.split('/').at(-1)]);
    expect(made).toEqual(
      expect.arrayContaining([
        [403, 'send'],
        [200, 'send'],
      ]),
    );
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registerEvidence } from '../../gateway/commands/evidence.js';
import { canonical } from '../../gateway/evidence/canonical.js';
import { sha256Of, type EvidenceItem, type EvidenceSheet } from '../../gateway/evidence/sheet.js';
import type { Verdict } from '../../gateway/evidence/verify.js';
import { decodeBody, decodeUplink, parseFrame, unwrapPassthrough, Frame } from '../../protocol/index.js';
import { AppTerminal } from '../dispatch/delivery/terminals.js';
import { runCommand } from './run-command.js';
import { Service } from './support.js';
import { TcpTerminal } from './tcp-terminal.js';

const phone = '13800001234';
const TOKEN = 'a-token-for-the-evidence-tests';
let service: Service;
beforeEach(async () => {
  service = await new Service({ apiToken: TOKEN }).start();
});
afterEach(async () => {
  process.exitCode = 0;
  await service.stop();
});

/** Runs `linecrew …` and gives what it prints. */
const run = (...args: string[]): Promise<string> => runCommand(registerEvidence, service.directory, args);

const verify = async (file: string): Promise<Verdict> => JSON.parse(await run('verify', file, '--json')) as Verdict;

it('proves every stamp by the frame that says so, and tells what was changed afterwards', async () => {
  const vehicleId = await service.vehicle(phone, { profile: 'smart' });
  const { id, number } = await service.assigned(vehicleId);
  const terminal = new TcpTerminal({ phone, edition: 2013 }, new AppTerminal());
  await terminal.connect(service.gateway.ports.tcp!);
  const state = async () => (await service.get('order', id)).legs[0]!;
  await service.until(async () => (await state()).state === 'delivered', 'the order is delivered');
  const pressedAt = Date.now();
  const pressed = { type: 'report.action', orderId: id, leg: 1, deviceAt: pressedAt };
  terminal.say({ ...pressed, action: 'accept' });
  terminal.say({ ...pressed, action: 'arrive', lat: 39.9, lon: 116.5 });
  await service.until(async () => (await state()).state === 'onSite', 'the crew is on site');
  await terminal.disconnect();

  const answer = await fetch(`${service.gateway.url}/api/v1/orders/${id}/evidence-sheet`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  });
  expect(answer.status).toBe(200);
  const sheet = (await answer.json()) as EvidenceSheet;
  expect(sheet.order).toEqual({ id, number });
  expect(sheet.sha256).toBe(sha256Of(sheet));
  expect(sheet.stamps.map((stamp) => stamp.point).sort()).toEqual(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H']);

  const stamp = (point: string): EvidenceItem => sheet.stamps.find((one) => one.point === point)!;
  const accepted = stamp('F');
  expect(accepted).toMatchObject({ source: 'terminal', rank: 'key', deviceAt: new Date(pressedAt).toISOString() });
  expect(accepted.clockOffsetMs).toBe(0);
  expect(actionIn(accepted)).toMatchObject({ kind: 'orderAction', orderId: id, action: 'accept', atMs: pressedAt });
  expect(stamp('H')).toMatchObject({
    flags: ['disputed'],
    place: { lat: 39.9, lon: 116.5, from: 'statement' },
  });
  // Nobody said when the crew left: the stamp is implied and has no frame of its own.
  expect(stamp('G')).toMatchObject({ rank: 'implied' });
  expect(stamp('G').frame).toBeUndefined();
  const events = await service.gateway.dispatch.eventsAfter(accepted.eventPositions[0]! - 1, 1);
  expect(events[0]).toMatchObject({ type: 'timePoint.claimed', orderId: id, data: { claim: { point: 'F' } } });

  // By the command, from the running gateway and from the idle store.
  const file = join(service.directory, 'sheet.json');
  expect(await run('evidence', number, '--out', file)).toContain(number);
  expect(await verify(file)).toMatchObject({ ok: true, altered: false, differences: [], notKept: [] });
  await service.do({ type: 'order.complete', orderId: id });
  expect(await verify(file), 'what happened later changes nothing').toMatchObject({ ok: true });

  const forged = JSON.parse(readFileSync(file, 'utf8')) as EvidenceSheet;
  const index = forged.stamps.findIndex((one) => one.point === 'F');
  const earlier = new Date(pressedAt - 60_000).toISOString();
  forged.stamps[index]!.at = earlier;
  writeFileSync(file, JSON.stringify(forged));
  const told = await verify(file);
  expect(told).toMatchObject({ ok: false, altered: true });
  expect(told.differences).toEqual([{ pointer: `/stamps/${index}/at`, sheet: earlier, store: accepted.at }]);
  expect(process.exitCode).toBe(1);
  // A new hash hides nothing from the store.
  writeFileSync(file, JSON.stringify({ ...forged, sha256: sha256Of(forged) }));
  expect(await verify(file)).toMatchObject({ ok: false, altered: false });
  await expect(run('evidence', '20200101-0001')).rejects.toThrow('there is no order 20200101-0001');

  await service.gateway.stop();
  const again = JSON.parse(await run('evidence', id)) as EvidenceSheet;
  expect(again.stamps.filter((one) => one.leg === undefined)).toEqual(
    sheet.stamps.filter((one) => one.leg === undefined),
  );
  writeFileSync(file, JSON.stringify(sheet));
  expect(await verify(file)).toMatchObject({ ok: true });
  writeFileSync(file, '{"format":"other"}');
  await expect(verify(file)).rejects.toThrow('/format is "other"');
});

function actionIn({ frame }: EvidenceItem): unknown {
  const bytes = Buffer.from(frame!.bytesHex!, 'hex');
  const parsed = parseFrame(bytes, 0, bytes.length, new Frame());
  const { bodyStart, bodyEnd } = parsed;
  const decoded = decodeBody(parsed.messageId, 2013, bytes.subarray(bodyStart, bodyEnd));
  if (decoded?.name !== 'passthroughUp') throw new Error(`${parsed.messageId} is no pass-through`);
  return decodeUplink(unwrapPassthrough(decoded.body.content)).body;
}

it('takes the hash over one form, whatever the order of the keys', () => {
  expect(canonical({ b: [1, { d: undefined, c: 'é' }], a: null })).toBe('{"a":null,"b":[1,{"c":"é"}]}');
  expect(sha256Of({ x: 1, y: 2, sha256: 'old' })).toBe(sha256Of({ y: 2, x: 1 }));
});

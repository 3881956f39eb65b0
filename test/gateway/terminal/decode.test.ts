import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { frameOf, locationBody, type TerminalForm } from '../support/frames.js';
import { Rig, type Json } from './support.js';

const form: TerminalForm = { phone: '13900000051', edition: 2013 };

describe('/decode', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await new Rig({ tcpPort: 'off' }).start();
  });
  afterAll(() => rig.stop());

  it('explains every byte of what is pasted', async () => {
    const frame = Buffer.from(frameOf(form, 0x0200, 5, locationBody({ at: Date.UTC(2026, 2, 2), alarm: 1 })));
    const hex = frame.toString('hex').replace(/(..)/g, '$1 ');
    const { status, json } = await rig.call('POST', '/decode', { hex });
    expect(status).toBe(200);
    expect(json.frames).toHaveLength(1);
    expect(json.frames[0]).toMatchObject({ messageId: 0x0200, phone: '13900000051', serial: 5 });
    let next = 0;
    for (const { offset, length } of json.rows as Json[]) {
      expect(offset).toBe(next);
      next += length;
    }
    expect(next).toBe(frame.length);
    expect(json.rows.map(({ hex: bytes }: Json) => bytes).join('')).toBe(frame.toString('hex'));
    expect(json.rows.find(({ field }: Json) => field === 'body.alarm').value).toContain('sos');
  });

  it('says what is no hex, what is no frame, and asks who is there', async () => {
    expect((await rig.call('POST', '/decode', { hex: '7e0g' })).json).toMatchObject({ status: 422, code: 'invalidBody' });
    const { json } = await rig.call('POST', '/decode', { hex: '7e 00 11 7e' });
    expect(json.rows.some(({ field }: Json) => field === 'refused')).toBe(true);
    const stranger = await fetch(`${rig.gateway.url}/api/v1/decode`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"hex":"7e"}' });
    expect(stranger.status).toBe(401);
  }); // prettier-ignore

  it('is a page without inline script or style, under the strict policy', async () => {
    const page = await fetch(`${rig.gateway.url}/decode`);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self';");
    const html = await page.text();
    expect(html).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/);
    for (const [, file] of html.matchAll(/(?:src|href)="([^"]+)"/g)) {
      expect((await fetch(`${rig.gateway.url}${file}`)).status).toBe(200);
    }
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderLabels } from '../../../dispatch/domain/menu.js';
import type { Order } from '../../../dispatch/domain/model.js';
import { driverText, orderText } from '../../../gateway/profiles/driver-text.js';
import { encodeText, toHex } from '../../../protocol/index.js';

const order = (address: string, description: string, phone = '13900000000'): Order =>
  ({
    number: '20261121-0012',
    priority: 'normal',
    site: { address },
    fault: { category: 'outage', description },
    customer: { phone },
  }) as Order;

describe('the text of an order', () => {
  it('is number, address, fault and the customer’s phone', () => {
    expect(orderText(order('建国路 88 号', '全楼停电'), 500, 'zh-CN')).toBe(
      '20261121-0012 建国路 88 号 全楼停电 13900000000',
    );
  });

  it('shortens the fault first, then the address; number and phone stay', () => {
    const text = orderText(order('建国路88号', '全楼停电已经三个小时'), 50, 'zh-CN');
    expect(encodeText(text).length).toBeLessThanOrEqual(50);
    expect(text.startsWith('20261121-0012 建国路88号 全楼停')).toBe(true);
    expect(text.endsWith(' 13900000000')).toBe(true);
    const shortest = orderText(order('建国路88号', '全楼停电'), 30, 'zh-CN');
    expect(shortest).toBe('20261121-0012 建国 13900000000');
  });

  it('never exceeds the limit, never cuts inside a character, and stays one line', () => {
    const anything = fc.string({ unit: 'grapheme', maxLength: 60 });
    fc.assert(
      fc.property(anything, anything, fc.integer({ min: 20, max: 120 }), (address, fault, maxBytes) => {
        const text = orderText(order(address, fault), maxBytes, 'zh-CN');
        expect(encodeText(text).length).toBeLessThanOrEqual(maxBytes);
        expect(text).toBe(text.replace(/\s+/gu, ' '));
        expect([...text].every((one) => one.codePointAt(0)! < 0xd800 || one.codePointAt(0)! > 0xdfff)).toBe(true);
        if (maxBytes >= 26) expect(text).toContain('13900000000');
      }),
    );
  });

  it.each([
    [2013, 'urgent', '0d'],
    [2013, 'service', '0c'],
    [2011, 'notice', '0c'],
    [2019, 'urgent', '0e02'],
    [2019, 'service', '0d02'],
    [2019, 'notice', '0f01'],
  ] as const)('%i %s begins with %s (reference 4.1)', (edition, kind, start) => {
    const { messageId, body } = driverText('ok', kind, edition, 100);
    expect(messageId).toBe(0x8300);
    // 2011 ends its strings with NUL (reference 1.1).
    expect(toHex(body)).toBe(`${start}6f6b${edition === 2011 ? '00' : ''}`);
  });
});

describe('labels of the event list', () => {
  it.each([
    [
      ['20261121-0012', '20261121-0013'],
      ['0012', '0013'],
    ],
    [
      ['20261121-0012', '20261122-0012', '20261122-0013'],
      ['21-0012', '22-0012', '0013'],
    ],
    [
      ['20261121-0012', '20261021-0012'],
      ['1121-0012', '1021-0012'],
    ],
    [
      ['20261121-0012', '20261121-10012'],
      ['21-0012', '21-10012'],
    ],
  ])('%j reads %j', (numbers, labels) => {
    expect([...orderLabels(numbers).values()]).toEqual(labels);
  });
});

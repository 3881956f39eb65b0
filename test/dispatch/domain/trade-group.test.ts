import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Vehicle } from '../../../dispatch/domain/model.js';
import { DocumentMap } from '../../../dispatch/domain/reduce.js';
import { joinTrade, leaveTrade, pagesBehind, TRADE_PAGE, tradePageKey } from '../../../dispatch/domain/trade-group.js';
import { World } from '../../support/dispatch.js';

const KEY = 'centre-1/cable';
const vehicle = (id: string) => ({ id, repairCentreId: 'centre-1', trade: 'cable' }) as Vehicle;

/** The group's vehicles, page by page, and that there is no page besides. */
function pagesOf(docs: DocumentMap): string[][] {
  const { vehicleIds, pages = 0 } = docs.get('tradeGroup', KEY) ?? { vehicleIds: [] };
  const further = Array.from({ length: pages }, (_, i) => docs.get('tradePage', tradePageKey(KEY, i + 1))!.vehicleIds);
  expect([...docs.all.keys()].filter((key) => key.startsWith('tradePage:'))).toHaveLength(pages);
  return [vehicleIds, ...further];
}

describe('The vehicles of a trade', () => {
  it('are each in it once whoever came and went, in pages that are full but the last', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), fc.integer({ min: 0, max: TRADE_PAGE * 4 })), { maxLength: 1_500 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: TRADE_PAGE * 3 }), steps, (atFirst, changes) => {
        const docs = new DocumentMap();
        const members = new Set<string>();
        const change = (joins: boolean, id: string): void => {
          if (joins === members.has(id)) return;
          if (joins) joinTrade(docs, vehicle(id));
          else leaveTrade(docs, vehicle(id));
          if (joins) members.add(id);
          else members.delete(id);
        };
        for (let i = 0; i < atFirst; i++) change(true, `v${i}`);
        for (const [joins, number] of changes) change(joins, `v${number}`);
        const pages = pagesOf(docs);
        expect(pages.flat().sort()).toEqual([...members].sort());
        for (const page of pages.slice(0, -1)) expect(page).toHaveLength(TRADE_PAGE);
        if (pages.length > 1) expect(pages.at(-1)).not.toHaveLength(0);
      }),
      { numRuns: 50 },
    );
  });

  it('of a group from before there were pages are put into pages when one joins', () => {
    const docs = new DocumentMap();
    const before = Array.from({ length: TRADE_PAGE * 2 + 10 }, (_, i) => `v${i}`);
    docs.put('tradeGroup', KEY, { vehicleIds: before, onBreak: 'v7' });
    leaveTrade(docs, vehicle('v3'));
    joinTrade(docs, vehicle('new'));
    const pages = pagesOf(docs);
    expect(pages.map((page) => page.length)).toEqual([TRADE_PAGE, TRADE_PAGE, 10]);
    expect(pages.flat().sort()).toEqual([...before.filter((id) => id !== 'v3'), 'new'].sort());
    expect(docs.get('tradeGroup', KEY)).toMatchObject({ onBreak: 'v7' });
  });

  it('pages behind a page are asked for in growing numbers', () => {
    expect(pagesBehind('c/t/1')).toEqual(['c/t/2']);
    expect(pagesBehind('c/t/3')).toEqual(['c/t/4', 'c/t/5', 'c/t/6']);
  });
});

describe('A trade of more than a page', () => {
  let world: World;
  const last = `v${TRADE_PAGE}`;
  beforeEach(async () => {
    world = new World();
    for (let i = 0; i <= TRADE_PAGE; i++) await world.vehicle(`v${i}`);
    for (let i = 0; i < TRADE_PAGE; i++) {
      await world.do({ type: 'vehicle.duty', vehicleId: `v${i}`, to: 'offDuty' });
    }
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });

  it('has somebody on standby where it is one of the last page', async () => {
    expect((await world.order(await world.orderAtCentre())).capacityCounted).toBeUndefined();
    await world.do({ type: 'vehicle.duty', vehicleId: last, to: 'offDuty' });
    expect((await world.order(await world.orderAtCentre())).capacityCounted).toMatchObject({ 1: world.clock.now() });
  });

  it('lets a crew of the first page go on break while one of the last is left', async () => {
    await world.do({ type: 'vehicle.duty', vehicleId: 'v0', to: 'standby' });
    await world.do({ type: 'vehicle.duty', vehicleId: 'v0', to: 'onBreak' });
    const wish = { type: 'vehicle.duty', vehicleId: last, to: 'onBreak' } as const;
    expect(await world.refused(wish)).toMatchObject({ code: 'otherOnBreak' });
    await world.do({ type: 'vehicle.duty', vehicleId: 'v0', to: 'offDuty' });
    expect(await world.refused(wish)).toMatchObject({ code: 'nobodyLeft' });
  });

  it('loses a vehicle of the first page, and one of the last takes its place', async () => {
    await world.do({ type: 'vehicle.delete', vehicleId: 'v5' });
    expect((await world.get('tradeGroup', 'centre-1/lowVoltage')).vehicleIds).toContain(last);
    expect(await world.dispatch.get('tradePage', 'centre-1/lowVoltage/1')).toBeUndefined();
  });
});

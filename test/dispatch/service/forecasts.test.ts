import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Forecasts } from '../../../dispatch/forecasts.js';
import { noRoad, osrmRoad } from '../../../dispatch/road.js';
import { PositionBatch } from '../../../dispatch/store/position-batch.js';
import { MINUTE, NINE, World } from '../../support/dispatch.js';

/** The site of the World's orders. */
const SITE = { lat: 39.9, lon: 116.4 };
const log = { error: ({ err }: Record<string, unknown>) => { throw err; } }; // prettier-ignore

describe('the forecast of an order', () => {
  let world: World;
  beforeEach(async () => {
    world = new World();
    await world.vehicle('v1');
    await at(12);
  });
  afterEach(async () => {
    await world.checkReplay();
    await world.close();
  });
  let sequence = 0;
  /** The vehicle is so many kilometres south of the site. */
  async function at(km: number): Promise<void> {
    const now = world.clock.now();
    const batch = new PositionBatch();
    batch.add('v1', now, now, Math.round((SITE.lat - km / 111.195) * 1e6), SITE.lon * 1e6, 0, 0, 0, 0, 0b11, -1);
    await world.dispatch.apply([], batch, { node: 'positions', sequence: ++sequence });
  }
  const eta = async (orderId: string): Promise<number | undefined> => {
    const made = (await world.order(orderId)).eta;
    return made && Math.round((made.at - NINE) / MINUTE);
  };

  it('is the way there, and what is queued before it with its work; nothing once the crew is on site', async () => {
    const first = await world.orderWith('v1', 'accepted');
    const second = await world.orderWith('v1');
    const forecasts = new Forecasts(world.dispatch, noRoad, log);
    await forecasts.renew();
    // 12 km × 1.4 at 35 km/h = 28.8 min; then 40 min of work at the same site.
    expect(await eta(first)).toBe(29);
    expect(await eta(second)).toBe(69);
    await world.do({ type: 'order.arrive', orderId: first });
    await at(0);
    await forecasts.renew();
    expect(await eta(first)).toBeUndefined();
    expect(await eta(second)).toBe(40);
  });

  describe('with a routing server', () => {
    let server: Server;
    let asked: string[];
    let answer: { status: number; body: object };
    beforeEach(async () => {
      asked = [];
      answer = { status: 200, body: { code: 'Ok', routes: [{ duration: 600 }] } };
      server = createServer((request, response) => {
        asked.push(request.url!);
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });
    afterEach(() => new Promise((closed) => server.close(closed)));
    const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    it('takes its seconds, and asks once for the same way', async () => {
      const orderId = await world.orderWith('v1');
      const forecasts = new Forecasts(world.dispatch, osrmRoad(url(), { warn: () => {} }), log);
      await forecasts.renew();
      await forecasts.renew();
      expect((await world.order(orderId)).eta).toMatchObject({ at: NINE + 10 * MINUTE, basis: 'route' });
      expect(asked).toEqual([
        expect.stringMatching(/^\/route\/v1\/driving\/116\.4,39\.79\d+;116\.4,39\.9\?overview=false$/),
      ]);
    });

    it.each([
      ['fails', 500, { code: 'InternalError' }],
      ['answers what is no route', 200, { code: 'Ok', routes: [] }],
      ['knows no way', 200, { code: 'NoRoute' }],
    ])('estimates when it %s', async (_what, status, body) => {
      answer = { status, body };
      const orderId = await world.orderWith('v1');
      await new Forecasts(world.dispatch, osrmRoad(url(), { warn: () => {} }), log).renew();
      expect((await world.order(orderId)).eta).toMatchObject({ basis: 'estimate' });
      expect(await eta(orderId)).toBe(29);
    });

    it('estimates when it is down, and leaves it alone for a while', async () => {
      const down = url();
      await new Promise((closed) => server.close(closed));
      const warned: unknown[] = [];
      const road = osrmRoad(down, { warn: (fields) => warned.push(fields) });
      expect(await road.seconds({ lat: 1, lon: 1 }, { lat: 2, lon: 2 })).toBeUndefined();
      expect(await road.seconds({ lat: 1, lon: 1 }, { lat: 3, lon: 3 })).toBeUndefined();
      expect(warned).toHaveLength(1);
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });
  });
});

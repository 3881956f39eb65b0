import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { candidatesFor } from '../../../dispatch/candidates.js';
import { Forecasts } from '../../../dispatch/forecasts.js';
import { noRoad, osrmRoad, type Stretch } from '../../../dispatch/road.js';
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
  /** A vehicle is so many kilometres south of the site. */
  async function at(km: number, vehicleId = 'v1'): Promise<void> {
    const now = world.clock.now();
    const batch = new PositionBatch();
    batch.add(vehicleId, now, now, Math.round((SITE.lat - km / 111.195) * 1e6), SITE.lon * 1e6, 0, 0, 0, 0, 0b11, -1);
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
      answer = { status: 200, body: table(2, 600) };
      server = createServer((request, response) => {
        asked.push(request.url!);
        response.writeHead(answer.status, { 'content-type': 'application/json' }).end(JSON.stringify(answer.body));
      });
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });
    afterEach(() => new Promise((closed) => server.close(closed)));
    const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

    /** So many places, each so many seconds from every other. */
    const table = (places: number, seconds: number): object => ({
      code: 'Ok',
      durations: Array.from({ length: places }, (_row, i) =>
        Array.from({ length: places }, (_cell, j) => (i === j ? 0 : seconds)),
      ),
    });

    it('takes its seconds, and asks once for the same way', async () => {
      const orderId = await world.orderWith('v1');
      const forecasts = new Forecasts(world.dispatch, osrmRoad(url(), { warn: () => {} }), log);
      await forecasts.renew();
      await forecasts.renew();
      expect((await world.order(orderId)).eta).toMatchObject({ at: NINE + 10 * MINUTE, basis: 'route' });
      expect(asked).toEqual([
        expect.stringMatching(/^\/table\/v1\/driving\/116\.4,39\.79\d+;116\.4,39\.9\?annotations=duration$/),
      ]);
    });

    it.each([
      ['fails', 500, { code: 'InternalError' }],
      ['answers what is no table', 200, { code: 'Ok', routes: [] }],
      ['knows no way', 200, { code: 'NoTable' }],
      [
        'knows no way between the two',
        200,
        {
          code: 'Ok',
          durations: [
            [0, null],
            [null, 0],
          ],
        },
      ],
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
      const way = (lat: number): Stretch => [
        { lat: 1, lon: 1 },
        { lat, lon: lat },
      ];
      for (const lat of [2, 3]) expect((await road.between([way(lat)]))(...way(lat))).toBeUndefined();
      expect(warned).toHaveLength(1);
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    });

    it('recommends by its seconds, for all vehicles by one request, as far as one request goes', async () => {
      await world.vehicle('v2');
      const busy = await world.orderWith('v1', 'accepted');
      const orderId = await world.orderAtCentre({ site: { ...SITE, lat: SITE.lat + 0.1, address: 'Road 2' } });
      await at(12);
      await at(14, 'v2');
      // Places as they are named first: v2 (the best by the estimate), the site, v1, the site of its order.
      const seconds = [[0, 1200, 0, 0], [0, 0, 0, 0], [0, 0, 0, 60], [0, 90, 0, 0]]; // prettier-ignore
      answer = { status: 200, body: { code: 'Ok', durations: seconds } };
      const road = osrmRoad(url(), { warn: () => {} });
      const etas = async () =>
        (await candidatesFor(world.dispatch, road, await world.order(orderId))).map(({ vehicle, json }) => [
          vehicle.id,
          Number(json['etaMs']) / 1000,
          json['etaBasis'],
        ]);
      const workS = world.dispatch.settings.eta.workMin * 60;
      expect(await etas()).toEqual([
        ['v2', 1200, 'route'],
        ['v1', 60 + workS + 90, 'route'],
      ]);
      expect(asked).toHaveLength(1);
      await etas();
      expect(asked, 'answers are remembered').toHaveLength(1);
      expect((await world.order(busy)).stage).toBe('dispatched');
    });

    it('recommends by the estimate while it is slow or down', async () => {
      answer = { status: 500, body: {} };
      const orderId = await world.orderAtCentre();
      const road = osrmRoad(url(), { warn: () => {} });
      const [first] = await candidatesFor(world.dispatch, road, await world.order(orderId));
      expect(first?.json).toMatchObject({ vehicleId: 'v1', etaBasis: 'estimate', rank: 1 });
    });

    it('asks for no more places than a server takes', async () => {
      answer = { status: 200, body: table(100, 60) };
      const site = { lat: 50, lon: 10 };
      const ways = Array.from({ length: 150 }, (_one, i): Stretch => [{ lat: 40, lon: i / 10 }, site]);
      const seconds = await osrmRoad(url(), { warn: () => {} }).between(ways);
      expect(asked.map((path) => path.split(';').length)).toEqual([100]);
      expect(ways.filter(([from, to]) => seconds(from, to) === 60)).toEqual(ways.slice(0, 99));
    });
  });
});

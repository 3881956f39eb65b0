import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import type { StoredEvent } from '../../../dispatch/domain/events.js';
import { eventMessage, positionMessage } from '../../../gateway/mqtt/integrators.js';
import {
  eventTopic,
  integratorMaySubscribe,
  parseTerminalTopic,
  positionTopic,
  terminalTopic,
} from '../../../gateway/mqtt/topics.js';

/** docs/asyncapi.yaml says what the code does. */
type Json = Record<string, unknown>;
const read = (path: string): string => readFileSync(new URL(`../../../${path}`, import.meta.url), 'utf8');
const document = parse(read('docs/asyncapi.yaml')) as {
  asyncapi: string;
  channels: Record<string, { address: string; parameters: Json; messages: Json }>;
  operations: Record<string, { action: string; channel: { $ref: string }; bindings: { mqtt: { qos: number } } }>;
  components: { schemas: Record<string, Json> };
};

/** The thing that a local reference names. */
function resolve(reference: string): unknown {
  let found: unknown = document;
  for (const key of reference.slice(2).split('/')) found = (found as Json | undefined)?.[key];
  return found;
}
function references(of: unknown): string[] {
  if (typeof of !== 'object' || of === null) return [];
  return Object.entries(of).flatMap(([key, value]) => (key === '$ref' ? [value as string] : references(value)));
}
const schemaOf = (name: string): z.ZodType => z.fromJSONSchema(document.components.schemas[name] as never);

const event: StoredEvent = {
  position: 7, type: 'leg.queued', orderId: 'o1', leg: 1, vehicleId: 'v1', centreId: 'centre-1', source: 'dispatcher',
  by: 'wang', receivedAt: 1_770_000_000_000, committedAt: 1_770_000_000_000, data: {},
}; // prettier-ignore
const position = {
  vehicleId: 'v1', deviceAt: 1_770_000_000_000, receivedAt: 1_770_000_001_000, latE6: 39_900_000, lonE6: 116_400_000,
  altitudeM: 50, speedDeciKmh: 305, headingDeg: 90, alarm: 0, status: 3, mileageDeciKm: -1,
}; // prettier-ignore

describe('docs/asyncapi.yaml', () => {
  it('is AsyncAPI 3, and every reference in it leads somewhere', () => {
    expect(document.asyncapi).toBe('3.0.0');
    expect(references(document).filter((reference) => resolve(reference) === undefined)).toEqual([]);
  });

  it('has the topics of the code, each with an operation', () => {
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(addresses.sort()).toEqual(
      [
        ...(['up', 'down', 'online'] as const).map((what) => terminalTopic('1', what).replace('/1/', '/{terminalId}/')),
        eventTopic('{orderId}'),
        positionTopic('{vehicleId}'),
      ].sort(),
    );
    const used = Object.values(document.operations).map(({ channel }) => channel.$ref.split('/').at(-1));
    expect(used.sort()).toEqual(Object.keys(document.channels).sort());
  });

  it('gives who sends what as the access rules do', () => {
    for (const { action, channel } of Object.values(document.operations)) {
      const address = (resolve(channel.$ref) as { address: string }).address.replace(/\{\w+\}/, '1');
      const own = parseTerminalTopic(address);
      expect(own !== undefined || integratorMaySubscribe(address)).toBe(true);
      // What the gateway receives, terminals publish; only `down` goes to them.
      if (own) expect(action).toBe(own.what === 'down' ? 'send' : 'receive');
      else expect(action).toBe('send');
    }
  });

  it('describes the messages that the code makes', () => {
    const { topic, payload } = eventMessage(event)!;
    expect(topic).toBe('linecrew/v1/events/o1');
    schemaOf('event').parse(JSON.parse(payload));
    const moved = positionMessage(position);
    expect(moved.topic).toBe('linecrew/v1/positions/v1');
    schemaOf('position').parse(JSON.parse(moved.payload));
  });

  it('refuses what is not as it says', () => {
    const { payload } = eventMessage(event)!;
    expect(schemaOf('event').safeParse({ ...(JSON.parse(payload) as Json), type: 'queued' }).success).toBe(false);
    expect(schemaOf('position').safeParse({ ...(JSON.parse(payload) as Json) }).success).toBe(false);
  });

  it('names every topic in the words of docs/mqtt.md too', () => {
    const words = read('docs/mqtt.md');
    for (const { address } of Object.values(document.channels)) expect(words).toContain(`\`${address}\``);
  });
});

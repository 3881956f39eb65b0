import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Service } from '../e2e/support.js';

const read = (name: string): Promise<string> => readFile(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');

let service: Service;
/** Names that /metrics has samples or a declaration of, as Prometheus would store them. */
const exported = new Set<string>();
beforeAll(async () => {
  service = await new Service({ mqttPort: '0', mqttHost: '127.0.0.1' }).start();
  const text = await (await fetch(`http://127.0.0.1:${service.gateway.ports.http}/metrics`)).text();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) {
    exported.add(name!);
    if (type === 'histogram') for (const part of ['_bucket', '_sum', '_count']) exported.add(name! + part);
  }
});
afterAll(() => service.stop());

interface Panel {
  title: string;
  targets?: { expr: string }[];
}
interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary: string } }[] }[];
}

async function expressions(): Promise<[where: string, expr: string][]> {
  const { panels } = JSON.parse(await read('grafana-dashboard.json')) as { panels: Panel[] };
  const { groups } = parse(await read('alerts.yaml')) as Rules;
  return [
    ...panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }): [string, string] => [title, expr])),
    ...groups.flatMap(({ rules }) => rules.map(({ alert, expr }): [string, string] => [alert, expr])),
  ];
}

it('draws and alerts on metrics that the gateway exports, all of them', async () => {
  const all = await expressions();
  expect(all.length).toBeGreaterThan(35);
  const unknown = all.flatMap(([where, expr]) =>
    [...expr.matchAll(/linecrew_\w+/g)].filter(([name]) => !exported.has(name)).map(([name]) => `${where}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

it('draws labels that the metrics have', async () => {
  const text = await (await fetch(`http://127.0.0.1:${service.gateway.ports.http}/metrics`)).text();
  expect(text).toMatch(
    /linecrew_http_request_duration_seconds_bucket\{le="[^"]+",method="GET",route="[^"]+",status="200"\}/,
  );
});

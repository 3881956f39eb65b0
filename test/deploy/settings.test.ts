import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../gateway/config/load.js';

const read = (name: string): string => readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');
const given = { LINECREW_ADMIN_PASSWORD: 'a long enough password', LINECREW_MQTT_PASSWORD: 'another long password', LINECREW_API_TOKEN: 't' }; // prettier-ignore
const filled = (text: string): string =>
  text.replace(/\$\{(\w+):[?-][^}]*\}/g, (_, name: keyof typeof given) => given[name]);

it('the compose file configures two gateways that differ in their name alone', () => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  const configs = ['gateway-1', 'gateway-2'].map((name) => {
    const { environment } = services[name]!;
    const env = Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, filled(String(value))]));
    const { config, warnings } = loadConfig({ env });
    expect(warnings).toEqual([]);
    return config;
  });
  expect(configs.map(({ nodeId }) => nodeId)).toEqual(['gateway-1', 'gateway-2']);
  expect({ ...configs[0]!, nodeId: '' }).toEqual({ ...configs[1]!, nodeId: '' });
});

it.each(['Containerfile', 'linecrew.service'])('%s sets only what there is', (name) => {
  const env = Object.fromEntries(
    [...read(name).matchAll(/(LINECREW_\w+)=(\S+)/g)].map(([, key, value]) => [key!, value!]),
  );
  expect(Object.keys(env)).toContain('LINECREW_STORE');
  expect(loadConfig({ env: { ...env, LINECREW_TRUST_PROXY: 'true' } }).warnings).toEqual([]);
});

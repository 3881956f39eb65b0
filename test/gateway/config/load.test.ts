import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ConfigError, loadConfig } from '../../../gateway/config/load.js';

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function fileOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'linecrew-config-'));
  folders.push(folder);
  const path = join(folder, 'linecrew.yaml');
  writeFileSync(path, text);
  return path;
}

const refusalOf = (sources: Parameters<typeof loadConfig>[0]): string => {
  try {
    loadConfig({ env: {}, ...sources });
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error('the configuration was accepted');
};

describe('the configuration', () => {
  it('has the published defaults', () => {
    const { config } = loadConfig({ env: {} });
    expect(config).toMatchObject({
      httpPort: 8080,
      httpHost: '127.0.0.1',
      tcpPort: 7808,
      tcpHost: '0.0.0.0',
      tlsPort: 'off',
      mqttPort: 1883,
      store: 'lmdb:./data',
      enrolment: 'known',
      logLevel: 'info',
      clockRate: 1,
      timeZone: 'Asia/Shanghai',
      language: 'zh-CN',
      mqttConnections: 16,
      retentionPositions: 180,
      retentionPhotos: 365,
      retentionOrders: 1095,
    });
  });

  it('takes flags before the environment before the file before defaults', () => {
    const file = fileOf('httpPort: 1\ntcpPort: 2\nmqttPort: 3\n');
    const { config, origins } = loadConfig({
      file,
      env: { LINECREW_TCP_PORT: '20', LINECREW_MQTT_PORT: '30', LINECREW_LANGUAGE: '' },
      flags: { mqttPort: '300' },
    });
    expect([config.httpPort, config.tcpPort, config.mqttPort, config.language]).toEqual([1, 20, 300, 'zh-CN']);
    expect([origins.httpPort, origins.tcpPort, origins.mqttPort, origins.language]).toEqual([
      'file',
      'environment',
      'flag',
      'default',
    ]);
  });

  it.each([
    ['LINECREW_HTTP_PORT', '70000', 'from 0 to 65535'],
    ['LINECREW_HTTP_PORT', 'web', 'from 0 to 65535'],
    ['LINECREW_CLOCK_RATE', '61', 'from 1 to 60'],
    ['LINECREW_ENROLMENT', 'closed', 'known, open'],
    ['LINECREW_TIME_ZONE', 'Mars/Olympus', 'IANA time zone'],
    ['LINECREW_MQTT_URL', 'http://broker', 'mqtt://'],
    ['LINECREW_RETENTION_POSITIONS', 'forever', '180d or 3y'],
    ['LINECREW_STORE', 'lmdb:', 'no directory is named; expected lmdb:DIRECTORY'],
    ['LINECREW_STORE', 'postgres://db', 'expected lmdb:DIRECTORY'],
    ['LINECREW_STORE', 'redis-sentinel://h:1', 'the name of the master is missing'],
    ['LINECREW_TRUST_PROXY', 'maybe', 'true or false'],
    ['LINECREW_TRUST_PROXY', '10.0.0.0/33', 'addresses and networks'],
    ['LINECREW_TRUST_PROXY', '10.0.0.1,proxy.example', 'addresses and networks'],
    ['LINECREW_MAP_URL', 'tiles.example/{z}/{x}/{y}.png', 'a raster template with {z}, {x} and {y}'],
    ['LINECREW_MAP_URL', 'https://tiles.example/{z}/{x}.png', 'a raster template with {z}, {x} and {y}'],
    ['LINECREW_MAP_URL', 'pmtiles:', 'pmtiles:FILE'],
  ])('refuses %s=%s and says what was expected', (variable, value, expected) => {
    const message = refusalOf({ env: { [variable]: value } });
    expect(message).toContain(variable);
    expect(message).toContain(JSON.stringify(value));
    expect(message).toContain(expected);
  });

  it('names every wrong value at once', () => {
    const message = refusalOf({ env: { LINECREW_HTTP_PORT: 'x', LINECREW_TCP_PORT: 'y' } });
    expect(message.split('\n')).toHaveLength(2);
  });

  it('never shows a secret in an error', () => {
    const { config } = loadConfig({ env: { LINECREW_API_TOKEN: 'geheim' } });
    expect(config.apiToken).toBe('geheim');
    expect(refusalOf({ file: fileOf('apiToken: [1234]\n') })).not.toContain('1234');
    for (const url of ['rediss://u:geheim@h:x', 'redis://u:ge/geheim@h', 'redis-cluster://:geheim@h:1/0']) {
      expect(refusalOf({ env: { LINECREW_STORE: url } })).not.toContain('geheim');
    }
  });

  it('refuses an unknown key of the file and names the nearest one', () => {
    expect(refusalOf({ file: fileOf('htpPort: 8080\n') })).toContain('did you mean httpPort?');
  });

  it('says, but survives, an unknown variable', () => {
    expect(loadConfig({ env: { LINECREW_HTTP_PRT: '1' } }).warnings[0]).toContain('did you mean LINECREW_HTTP_PORT?');
  });

  it('refuses a file that is absent, is no YAML, or holds no keys', () => {
    expect(refusalOf({ file: '/nonexistent/linecrew.yaml' })).toContain('/nonexistent/linecrew.yaml');
    expect(refusalOf({ file: fileOf('a: [1\n') })).toContain('linecrew.yaml');
    expect(refusalOf({ file: fileOf('- 1\n- 2\n') })).toContain('expected keys and values');
  });

  it('refuses halves of a pair, and TLS without a certificate', () => {
    expect(refusalOf({ env: { LINECREW_TLS_CERT: 'a.pem' } })).toContain('LINECREW_TLS_KEY');
    expect(refusalOf({ env: { LINECREW_TLS_PORT: '7809' } })).toContain('LINECREW_TLS_CERT');
  });

  it('refuses a console that other machines could reach without TLS, unless told otherwise', () => {
    expect(refusalOf({ env: { LINECREW_HTTP_HOST: '0.0.0.0' } })).toContain('LINECREW_HTTP_INSECURE');
    for (const way of ['LINECREW_HTTP_INSECURE', 'LINECREW_TRUST_PROXY']) {
      expect(loadConfig({ env: { LINECREW_HTTP_HOST: '0.0.0.0', [way]: 'true' } }).config.httpHost).toBe('0.0.0.0');
    }
  });

  it.each([
    ['true', true],
    ['no', false],
    ['10.0.0.0/8, 192.0.2.7,fd00::/8', ['10.0.0.0/8', '192.0.2.7', 'fd00::/8']],
  ])('takes LINECREW_TRUST_PROXY=%s', (value, expected) => {
    expect(loadConfig({ env: { LINECREW_TRUST_PROXY: value } }).config.trustProxy).toEqual(expected);
  });

  it('refuses a short first password where other machines reach the console, and does not show it', () => {
    const short = { LINECREW_ADMIN_PASSWORD: 'geheim123' };
    for (const way of [
      { LINECREW_HTTP_HOST: '0.0.0.0', LINECREW_HTTP_INSECURE: 'true' },
      { LINECREW_TRUST_PROXY: 'true' },
      { LINECREW_PUBLIC_URL: 'https://console.example' },
    ]) {
      const message = refusalOf({ env: { ...short, ...way } });
      expect(message).toContain('LINECREW_ADMIN_PASSWORD: (hidden) — expected 10 characters');
      expect(message).not.toContain('geheim');
      expect(loadConfig({ env: { LINECREW_ADMIN_PASSWORD: 'geheim1234', ...way } }).config.adminPassword).toBeDefined();
    }
    expect(loadConfig({ env: short }).config.adminPassword).toBe('geheim123');
  });

  it('reads durations in days and years', () => {
    const env = {
      LINECREW_RETENTION_POSITIONS: '90d',
      LINECREW_RETENTION_ORDERS: '5y',
      LINECREW_RETENTION_PHOTOS: '30',
    };
    expect(loadConfig({ env }).config).toMatchObject({
      retentionPositions: 90,
      retentionOrders: 1825,
      retentionPhotos: 30,
    });
  });
});

import { z } from 'zod';
import { DEFAULT_SETTINGS } from '../../dispatch/domain/settings.js';
import * as f from './field.js';

type Row<T> = { schema: z.ZodType<T>; default: T; meaning: string; secret?: boolean };
const row = <T>(schema: z.ZodType<T>, value: NoInfer<T>, meaning: string): Row<T> => ({
  schema,
  default: value,
  meaning,
});
const secret = (meaning: string): Row<string | undefined> => ({
  schema: f.optionalText(),
  default: undefined,
  meaning,
  secret: true,
});
const maybe = (meaning: string): Row<string | undefined> => ({ schema: f.optionalText(), default: undefined, meaning });

const d = DEFAULT_SETTINGS;

/** Every setting of the gateway, by key. The environment variable, the flag and the documentation follow from the row. */
export const SETTINGS = {
  httpPort: row(f.port(), 8080, 'API, console, health, metrics'),
  httpHost: row(f.text(), '127.0.0.1', 'address that the HTTP server listens on'),
  httpTlsCert: maybe('certificate file (PEM) for HTTPS'),
  httpTlsKey: maybe('key file (PEM) for HTTPS'),
  httpInsecure: row(f.flag(), false, 'allow the console off loopback without TLS or a proxy in front (not advised)'),
  publicUrl: row(f.url('http', 'https'), undefined, 'address under which people reach the console, behind a proxy'),
  trustProxy: row(
    f.proxies(),
    false,
    'believe X-Forwarded-For and X-Forwarded-Proto of the proxy in front: true (whatever connects is the one proxy), or the addresses and networks of the proxies',
  ),
  tcpPort: row(f.portOrOff(), 7808, 'JT/T 808 over TCP'),
  tcpHost: row(f.text(), '0.0.0.0', 'address that the JT/T 808 listener uses'),
  tlsPort: row(f.portOrOff(), 'off', 'JT/T 808 over TLS'),
  tlsCert: maybe('certificate file (PEM) for the terminals’ TLS ports (JT/T 808 and MQTT)'),
  tlsKey: maybe('key file (PEM) for the terminals’ TLS ports'),
  tlsCa: maybe('CA file (PEM): terminals must show a certificate signed by it'),
  mqttPort: row(f.portOrOff(), 1883, 'embedded MQTT 3.1.1 broker'),
  mqttHost: row(f.text(), '0.0.0.0', 'address that the embedded broker uses'),
  mqttTlsPort: row(f.portOrOff(), 'off', 'embedded broker over TLS'),
  mqttWsPort: row(f.portOrOff(), 'off', 'embedded broker over WebSocket'),
  mqttUrl: row(
    f.url('mqtt', 'mqtts', 'tcp', 'ssl', 'ws', 'wss'),
    undefined,
    'use this external broker; the embedded one stays off',
  ),
  mqttUser: maybe('user name at the external broker'),
  mqttPassword: secret('password at the external broker'),
  mqttConnections: row(
    f.integer(1, 256),
    16,
    'connections to the external broker (each handles one message at a time)',
  ),
  mqttVersion: row(f.choice(['3.1.1', '5']), '3.1.1', 'protocol version spoken with the external broker'),
  store: row(
    f.store(),
    'lmdb:./data',
    'lmdb:DIR, redis://…, rediss://…, redis-cluster://h:p,h:p or redis-sentinel://h:p,h:p/name',
  ),
  redisDurability: row(f.choice(['fsync', 'everysec', 'replica', 'relaxed']), 'fsync', 'what Redis must have done before a message is confirmed: fsync (appendfsync always, or WAITAOF where the server has it), replica (also WAIT 1), everysec or relaxed (may lose the last second; said loudly)'), // prettier-ignore
  redisPassword: secret('password for Redis, if not in the URL'),
  nodeId: row(z.string().regex(/^[A-Za-z0-9_.-]{1,40}$/, { error: () => 'expected 1–40 letters, digits, _ . -' }), 'node-1', 'name of this gateway among several on one store'), // prettier-ignore
  enrolment: row(
    f.choice(['known', 'open']),
    'known',
    'known: only vehicles on file may register; open: unknown terminals become vehicles to be confirmed',
  ),
  logLevel: row(f.choice(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']), 'info', 'how much is logged'),
  adminPassword: secret(
    'password of the first administrator; otherwise one is made and printed once at the first start',
  ),
  apiToken: secret('bootstrap token with every right, for automation and tests'),
  clockRate: row(f.number(1, 60), 1, 'gateway time runs this many times as fast, up to 60 (demo and tests)'),
  timeZone: row(f.timeZone(), d.timeZone, 'order numbers, reports, driver texts'),
  language: row(f.choice(['zh-CN', 'en']), d.language, 'language of the console and of driver texts'),
  osrmUrl: row(f.url('http', 'https'), undefined, 'routing server (OSRM HTTP API) for arrival forecasts'),
  mapUrl: row(
    f.baseMap(),
    undefined,
    'base map: raster template with {z} {x} {y}, a MapLibre style URL, or pmtiles:FILE',
  ),
  mapCrs: row(f.choice(['wgs84', 'gcj02']), 'wgs84', 'coordinate system of the base map'),
  mapAttribution: maybe('attribution that the base map asks for'),
  webhookPrivate: row(f.flag(), false, 'allow webhooks to private addresses'),
  retentionPositions: row(f.days(1), 180, 'positions are kept this long (days)'),
  retentionPhotos: row(f.days(1), 365, 'photos are kept this long (days)'),
  retentionOrders: row(
    f.days(30),
    1_095,
    'closed orders keep the customer’s data and their photos this long (days); what statistics need stays',
  ),
  retentionAudit: row(f.days(30), 1_095, 'entries of the audit log are kept this long (days)'),
  retentionFrames: row(f.days(1), 180, 'raw frames of the ingest log are kept this long (days)'),
  idleS: row(
    f.integer(30, 86_400, 's'),
    300,
    'a terminal that is silent this long is disconnected (3 heartbeats or more)',
  ),
  loginS: row(f.integer(5, 600, 's'), 30, 'a connection must authenticate within this time'),
  maxConnections: row(f.integer(1, 1_000_000), 100_000, 'terminal connections in all'),
  maxConnectionsPerAddress: row(
    f.integer(1, 1_000_000),
    10_000,
    'terminal connections from one address (a carrier’s NAT shares one)',
  ),
  vendorFraming: row(
    f.flag(),
    false,
    'accept the vendor framing variants of JT/T 808 (0xE7 delimiter, text sentences)',
  ),
  trades: row(f.list(), d.trades, 'trades of crews'),
  categories: row(f.list(), d.categories, 'fault categories'),
  queueLimit: row(f.integer(1, 100), d.queueLimit, 'open legs that one vehicle may hold'),
  oldCallH: row(
    f.number(1, 8_760, 'h'),
    d.oldCallMs / 3_600_000,
    'an order whose call ended longer ago than this must be confirmed expressly',
  ),
  arrivalRadiusM: row(f.number(10, 5_000, 'm'), d.arrival.radiusM, 'arrived: within this distance of the site'),
  arrivalSpeedKmh: row(f.number(0, 50, 'km/h'), d.arrival.speedKmh, 'arrived: slower than this'),
  arrivalStandS: row(f.number(0, 3_600, 's'), d.arrival.standMs / 1000, 'arrived: for this long'),
  departureM: row(
    f.number(10, 10_000, 'm'),
    d.departure.distanceM,
    'departed: moved farther than this from where the vehicle stood',
  ),
  etaDetourFactor: row(
    f.number(1, 5),
    d.eta.detourFactor,
    'road distance ÷ straight distance, for the default forecast',
  ),
  etaSpeedKmh: row(
    f.number(5, 120, 'km/h'),
    d.eta.defaultSpeedKmh,
    'speed of the default forecast where no recent speed is known',
  ),
  etaWorkMin: row(f.number(1, 600, 'min'), d.eta.workMin, 'usual time on one site, for what is queued before'),
  retryS: row(f.number(1, 600, 's'), d.delivery.retryMs / 1000, 'first wait for a terminal’s receipt (T; then 2T, 6T)'),
} satisfies Record<string, { schema: z.ZodType; default: unknown; meaning: string; secret?: boolean }>;

export type SettingKey = keyof typeof SETTINGS;
/** The configuration as the program uses it: every key present, every value checked. */
export type Config = { -readonly [K in SettingKey]: (typeof SETTINGS)[K] extends Row<infer T> ? T : never };

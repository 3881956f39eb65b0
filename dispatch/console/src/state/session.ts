/** Who is signed in, and what the server lets them see. The server enforces it; the console only hides the rest. */
import { computed, signal } from '@preact/signals';
import { get, post, remove, setCsrf, whenSignedOut } from '../api/client.js';
import type { MeJson, Role } from '../api/types.js';
import { setTimeZone } from '../format.js';
import { offerLanguage } from '../i18n/index.js';
import { setGatewayTime } from './clock.js';

export type SessionState = { kind: 'unknown' } | { kind: 'signedOut' } | { kind: 'signedIn'; me: MeJson };
export const session = signal<SessionState>({ kind: 'unknown' });
export const me = computed(() => (session.value.kind === 'signedIn' ? session.value.me : undefined));

export function hasRole(...roles: Role[]): boolean {
  return roles.some((role) => me.value?.roles.includes(role));
}
export const isCrewOnly = computed(() => {
  const mine = me.value?.roles ?? [];
  return mine.length > 0 && mine.every((role) => role === 'crew');
});

/** What the server tells every visitor: its zone and the base map. */
export interface ServerConfig {
  timeZone?: string;
  language?: 'zh-CN' | 'en';
  map?: { url?: string; kind?: 'raster' | 'style' | 'pmtiles'; crs?: 'wgs84' | 'gcj02'; attribution?: string };
}
export const serverConfig = signal<ServerConfig>({});

export async function loadConfig(): Promise<void> {
  const response = await fetch('/console.json', { cache: 'no-store' }).catch(() => undefined);
  if (!response?.ok) return;
  const config = (await response.json()) as ServerConfig;
  serverConfig.value = config;
  if (config.timeZone) setTimeZone(config.timeZone);
  offerLanguage(config.language);
}

/** The two clocks drift apart, and a sleeping computer stops counting: the server is asked again now and then. */
const CLOCK_MS = 60_000;
async function askTime(): Promise<void> {
  const response = await fetch('/healthz', { cache: 'no-store' }).catch(() => undefined);
  if (!response?.ok) return;
  const { time, clockRate } = (await response.json()) as { time: string; clockRate: number };
  setGatewayTime(Date.parse(time), clockRate);
}
setInterval(() => void askTime(), CLOCK_MS);
window.addEventListener('online', () => void askTime());
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void askTime();
});

function take(mine: MeJson): void {
  if (mine.csrf) setCsrf(mine.csrf);
  setGatewayTime(Date.parse(mine.now), mine.clockRate);
  session.value = { kind: 'signedIn', me: mine };
}

export async function loadSession(): Promise<void> {
  try {
    take(await get<MeJson>('/me'));
  } catch {
    session.value = { kind: 'signedOut' };
  }
}

export async function signIn(name: string, password: string): Promise<void> {
  take(await post<MeJson>('/session', { name, password }));
}

export async function signOut(): Promise<void> {
  await remove('/session').catch(() => undefined);
  session.value = { kind: 'signedOut' };
}

whenSignedOut(() => {
  if (session.value.kind === 'signedIn') session.value = { kind: 'signedOut' };
});

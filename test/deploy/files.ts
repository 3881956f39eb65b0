/** The files of deploy/, and what they set. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';

/** What the .env file beside compose.yaml gives. */
const GIVEN = { LINECREW_ADMIN_PASSWORD: 'a long enough password', LINECREW_MQTT_PASSWORD: 'another long password', LINECREW_API_TOKEN: 't' }; // prettier-ignore

export const deployed = (name: string): string =>
  readFileSync(new URL(`../../deploy/${name}`, import.meta.url), 'utf8');

export interface Service {
  image?: string;
  build?: { context: string; dockerfile: string };
  command?: string[];
  depends_on?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  stop_grace_period?: string;
}

export interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, null>;
}

export const compose = (): Compose => parse(deployed('compose.yaml'), { merge: true }) as Compose;

/** Settings of a gateway in the compose file, with its variables filled in. */
export function composeEnvironment(service: string): Record<string, string> {
  const environment = Object.entries(compose().services[service]!.environment!);
  return Object.fromEntries(environment.map(([key, value]) => [key, filled(String(value))]));
}

function filled(text: string): string {
  return text.replace(/\$\{(\w+):[?-][^}]*\}/g, (_, name: keyof typeof GIVEN) => GIVEN[name]);
}

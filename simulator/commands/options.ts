import { InvalidArgumentError, Option, type Command } from 'commander';
import type { Edition } from '../../protocol/index.js';
import { profiles, type Profile } from '../terminal/types.js';

/** Options that every scenario has. */
export interface CommonOptions {
  host: string;
  port: number;
  http?: string;
  token?: string;
  mqtt?: string;
  vehicles?: number;
  profile?: Profile | 'mixed';
  edition?: Edition | 'mixed';
  transport: 'tcp' | 'tls' | 'mqtt';
  seed?: string;
  speed?: number;
  duration?: number;
  json?: boolean;
  scenario?: string;
  route?: string[];
  osrm?: string;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--host <host>', 'where JT/T 808 is spoken', '127.0.0.1')
    .option('--port <port>', 'TCP port of JT/T 808', wholeNumber(1, 65_535), 7808)
    .addOption(
      new Option('--http <url>', 'base URL of the HTTP API: clock, enrolment, final check').env('LINECREW_HTTP_URL'),
    )
    .addOption(new Option('--token <token>', 'API token; vehicles are put on file with it').env('LINECREW_API_TOKEN'))
    .option('--mqtt <url>', 'broker of MQTT terminals (default: mqtt://HOST:1883)')
    .option('--vehicles <n>', 'number of vehicles', wholeNumber(1, 100_000))
    .addOption(new Option('--profile <profile>', 'kind of terminal').choices([...profiles, 'mixed']))
    .addOption(
      new Option('--edition <edition>', 'edition of JT/T 808')
        .choices(['2011', '2013', '2019', 'mixed'])
        .argParser((text) => editionOf(text)),
    )
    .addOption(
      new Option('--transport <transport>', 'how terminals connect').choices(['tcp', 'tls', 'mqtt']).default('tcp'),
    )
    .option('--seed <seed>', 'everything is decided by it')
    .option('--speed <n>', "the gateway's clock rate; refused when the gateway has another", wholeNumber(1, 60))
    .option('--duration <time>', 'how long, in gateway time: 90s, 30m, 8h (default: until Ctrl-C)', duration)
    .option('--route <file...>', 'GPX or GeoJSON: trucks drive its lines up and down while nothing is to do')
    .option('--osrm <url>', 'routing server (OSRM) for the ways of trucks', webAddress)
    .option('--json', 'JSON lines instead of text')
    .option('--scenario <file>', 'scenario file instead of the one that comes with the program');
}

function webAddress(text: string): string {
  if (URL.canParse(text) && /^https?:/.test(text)) return text;
  throw new InvalidArgumentError('expected http://host:port');
}

export function wholeNumber(from: number, to: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= from && value <= to) return value;
    throw new InvalidArgumentError(`expected a whole number from ${from} to ${to}`);
  };
}

/** Seconds of `90`, `90s`, `30m`, `8h`. */
export function duration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)\s*(s|m|h)?$/.exec(text.trim());
  if (found === null) throw new InvalidArgumentError('expected a time such as 90s, 30m or 8h');
  return Number(found[1]) * (found[2] === 'h' ? 3600 : found[2] === 'm' ? 60 : 1);
}

function editionOf(text: string): Edition | 'mixed' {
  if (text === '2011' || text === '2013' || text === '2019') return Number(text) as Edition;
  if (text === 'mixed') return 'mixed';
  throw new InvalidArgumentError('expected 2011, 2013, 2019 or mixed');
}

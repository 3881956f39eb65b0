import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { Option, type Command } from 'commander';
import { UsageError, withUsage } from './input.js';

interface Flags {
  http: string;
  token?: string;
  wait: boolean;
  timeout?: string;
  json?: boolean;
}

const httpOption = (): Option =>
  new Option('--http <url>', 'the gateway’s HTTP address').env('LINECREW_HTTP_URL').default('http://127.0.0.1:8080');
/** Not as a default: `--help` shows those. */
const tokenOption = (): Option => new Option('--token <token>', 'API token').env('LINECREW_API_TOKEN');

/** `linecrew terminal …`: what a vehicle's terminal can be asked to do, through the gateway's HTTP API. */
export function registerTerminal(program: Command): void {
  program
    .command('terminal')
    .description('ask a vehicle’s terminal for something; `functions` lists what it can do')
    .argument('<function>', 'functions, position, photo, parameters-query, … (docs/api.md)')
    .argument('<vehicle>', 'id of the vehicle')
    .argument('[name=value...]', 'arguments; a.b=c sets b inside a, a value may be JSON')
    .addOption(httpOption())
    .addOption(tokenOption())
    .option('--no-wait', 'do not wait for the answer')
    .option('--timeout <seconds>', 'how long it is tried')
    .option('--json', 'print the delivery as JSON')
    .action((name: string, vehicle: string, words: string[], flags: Flags) =>
      withUsage(() => call(name, vehicle, words, flags)),
    );
  program
    .command('terminal-file')
    .description('upload a file for `linecrew terminal upgrade`; prints its id')
    .argument('<path>', 'the file')
    .addOption(httpOption())
    .addOption(tokenOption())
    .action((path: string, flags: Pick<Flags, 'http' | 'token'>) => withUsage(() => upload(path, flags)));
}

async function upload(path: string, { http, token }: Pick<Flags, 'http' | 'token'>): Promise<void> {
  const bytes = await readFile(path).catch((error: Error) => {
    throw new UsageError(`${path} cannot be read: ${error.message}`);
  });
  const address = new URL('/api/v1/terminal-files', addressOf(http));
  address.searchParams.set('name', basename(path));
  const file = await ask('POST', address, tokenOf(token), bytes);
  process.stdout.write(`${String(file['id'])}\n`);
}

function tokenOf(token: string | undefined): string {
  if (token === undefined) throw new UsageError('give an API token: --token or LINECREW_API_TOKEN');
  return token;
}

async function call(name: string, vehicle: string, words: readonly string[], flags: Flags): Promise<void> {
  const token = tokenOf(flags.token);
  if (!/^[a-z-]+$/.test(name)) throw new UsageError(`${name} is no function; “functions” lists them`);
  const address = new URL(`/api/v1/vehicles/${encodeURIComponent(vehicle)}/terminal/${name}`, addressOf(flags.http));
  if (name === 'functions') return list(await ask('GET', address, token), flags.json === true);
  if (flags.wait) address.searchParams.set('wait', '1');
  if (flags.timeout !== undefined) address.searchParams.set('timeoutS', flags.timeout);
  show(await ask('POST', address, token, argumentsOf(words)), flags.json === true);
}

function addressOf(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new UsageError(`--http: expected an address such as http://127.0.0.1:8080, found ${text}`);
  }
}

/** `a.b=1 c=x` as `{a: {b: 1}, c: 'x'}`. */
export function argumentsOf(words: readonly string[]): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const word of words) {
    const at = word.indexOf('=');
    if (at <= 0) throw new UsageError(`expected name=value, found ${word}`);
    const path = word.slice(0, at).split('.');
    let inner = body;
    for (const name of path.slice(0, -1)) {
      const next = Object.hasOwn(inner, name) ? inner[name] : undefined;
      const inside: Record<string, unknown> = isObject(next) ? next : {};
      inner[name] = inside;
      inner = inside;
    }
    inner[path.at(-1)!] = valueOf(word.slice(at + 1));
  }
  return body;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** JSON where it is JSON (numbers, true, lists), else the text. */
function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** @param body sent as JSON, or as it is where it is bytes */
async function ask(method: string, address: URL, token: string, body?: object): Promise<Record<string, unknown>> {
  const bytes = body instanceof Uint8Array;
  const response = await fetch(address, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': bytes ? 'application/octet-stream' : 'application/json' }),
    },
    ...(body === undefined ? {} : { body: bytes ? Uint8Array.from(body) : JSON.stringify(body) }),
    // The gateway waits 30 s at most for the terminal.
    signal: AbortSignal.timeout(60_000),
  });
  const json = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return json;
  const { detail, code } = json as { detail?: string; code?: string };
  throw new Error(`${code ?? response.status}: ${detail ?? response.statusText}`);
}

function list(answer: Record<string, unknown>, json: boolean): void {
  if (json) return print(answer);
  const items = answer['items'] as { name: string; title: string; supported: boolean; detail?: string }[];
  for (const { name, title, supported, detail } of items) {
    process.stdout.write(`${supported ? '  ' : '– '}${name.padEnd(18)} ${title}${detail ? ` (${detail})` : ''}\n`);
  }
}

/** Exit status 1 unless the terminal did it. */
function show(delivery: Record<string, unknown>, json: boolean): void {
  const { state, result, answer } = delivery;
  if (state === 'refused' || state === 'expired' || state === 'voided') process.exitCode = 1;
  if (json) return print(delivery);
  process.stdout.write(`${String(state)}${typeof result === 'string' ? `: ${result}` : ''}\n`);
  if (typeof answer === 'object' && answer !== null) print(answer);
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

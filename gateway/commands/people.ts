import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import type { Command } from 'commander';
import { Accounts } from '../../dispatch/accounts.js';
import { dispatchSettings } from '../config/dispatch-settings.js';
import { peopleHandlers } from '../people.js';
import { askStore, withStore as withStoreOptions, type StoreOptions as OfStore } from './with-store.js';

interface StoreOptions extends OfStore {
  json?: boolean;
}

/** `linecrew user …` and `linecrew token …`. */
export function registerPeople(program: Command): void {
  registerUsers(program.command('user').description('people who may sign in'));
  registerTokens(program.command('token').description('API tokens for other systems'));
}

function registerUsers(user: Command): void {
  withStore(user.command('list').description('who may sign in')).action((options: StoreOptions) =>
    show('user.list', {}, options),
  );
  withStore(
    user.command('add <name>').description('a new account; the password is asked for, or read from standard input'),
  )
    .requiredOption(
      '--role <roles>',
      'administrator, agent, supervisor, dispatcher, crew, integrator; several with commas',
      words,
    )
    .option('--full-name <text>', 'as people write it')
    .option('--centre <ids>', 'repair centres that the account is limited to, with commas', words)
    .option('--vehicle <id>', 'vehicle of a crew account')
    .action(
      async (
        name: string,
        o: StoreOptions & { role: string[]; fullName?: string; centre?: string[]; vehicle?: string },
      ) =>
        show(
          'user.add',
          {
            name,
            roles: o.role,
            fullName: o.fullName,
            centres: o.centre,
            vehicleId: o.vehicle,
            password: await askPassword(),
          },
          o,
        ),
    );
  withStore(user.command('password <name>').description('set a new password; ends the account’s sessions')).action(
    async (name: string, options: StoreOptions) =>
      show('user.password', { name, password: await askPassword() }, options),
  );
  for (const [verb, what] of [
    ['disable', 'the account can no longer sign in'],
    ['enable', 'the account can sign in again'],
    ['remove', 'delete the account'],
  ] as const) {
    withStore(user.command(`${verb} <name>`).description(what)).action((name: string, options: StoreOptions) =>
      show(`user.${verb}`, { name }, options),
    );
  }
}

function registerTokens(token: Command): void {
  withStore(token.command('list').description('tokens, without their secrets')).action((options: StoreOptions) =>
    show('token.list', {}, options),
  );
  withStore(token.command('add <name>').description('a new token; its secret is printed once'))
    .requiredOption(
      '--role <roles>',
      'administrator, agent, supervisor, dispatcher, crew, integrator; several with commas',
      words,
    )
    .option('--scope <scopes>', 'limit to these scopes, for example mqtt:read', words)
    .option('--centre <ids>', 'repair centres that the token is limited to', words)
    .option('--vehicle <id>', 'vehicle of a crew token')
    .option('--days <n>', 'ends after so many days', Number)
    .action(
      (
        name: string,
        o: StoreOptions & { role: string[]; scope?: string[]; centre?: string[]; vehicle?: string; days?: number },
      ) => {
        return show(
          'token.add',
          { name, roles: o.role, scopes: o.scope, centres: o.centre, vehicleId: o.vehicle, days: o.days },
          o,
        );
      },
    );
  withStore(token.command('remove <id>').description('the token ends at once')).action(
    (id: string, options: StoreOptions) => show('token.remove', { id }, options),
  );
}

const words = (value: string): string[] => value.split(',').map((word) => word.trim()).filter(Boolean); // prettier-ignore

function withStore(command: Command): Command {
  return withStoreOptions(command).option('--json', 'print JSON');
}

async function show(method: string, args: Record<string, unknown>, { json, ...rest }: StoreOptions): Promise<void> {
  const value = await run(method, args, rest);
  if (json) return void process.stdout.write(JSON.stringify(value ?? { ok: true }) + '\n');
  if (value === null || value === undefined) return void process.stdout.write('done\n');
  const rows = Array.isArray(value) ? (value as Record<string, unknown>[]) : [value as Record<string, unknown>];
  process.stdout.write(rows.length === 0 ? 'none\n' : rows.map(line).join('\n') + '\n');
}

const line = (row: Record<string, unknown>): string =>
  Object.entries(row)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? value.join(',') : String(value as string)}`)
    .join('  ');

const run = (method: string, args: Record<string, unknown>, options: StoreOptions): Promise<unknown> =>
  askStore(method, args, options, ({ store, now, config }) =>
    peopleHandlers(new Accounts({ store, clock: { now }, settings: dispatchSettings(config) }), now),
  );

/** From standard input where that is no terminal (a script), else asked for without showing it. */
async function askPassword(): Promise<string> {
  if (!process.stdin.isTTY) {
    let text = '';
    for await (const chunk of process.stdin) text += String(chunk);
    return text.replace(/\r?\n$/, '');
  }
  process.stderr.write('password: ');
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const reader = createInterface({ input: process.stdin, output: silent, terminal: true });
  try {
    return await reader.question('');
  } finally {
    reader.close();
    process.stderr.write('\n');
  }
}

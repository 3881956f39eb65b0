import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import { createDispatch } from '../../dispatch/service.js';
import type { Erased } from '../../dispatch/erasure.js';
import { dispatchSettings } from '../config/dispatch-settings.js';
import { ConfigError } from '../config/load.js';
import { erasureHandlers } from '../erasure.js';
import { createLog, wordLog } from '../log.js';
import { askStore, withStore, type StoreOptions } from './with-store.js';

/** `linecrew erase`: a customer's data from the orders that have ended, and from the event log. */
export function registerErase(program: Command): void {
  withStore(
    program
      .command('erase')
      .description('delete a customer’s data from the orders that have ended; reports keep what they are made of')
      .addOption(new Option('--phone <number>', 'all orders of this phone number').conflicts('order'))
      .option('--order <number>', 'one order, by its number')
      .option('--json', 'print the result as JSON'),
  ).action(
    async ({ phone, order, json, ...rest }: StoreOptions & { phone?: string; order?: string; json?: boolean }) => {
      if (phone === undefined && order === undefined) {
        throw new ConfigError('erase: expected --phone NUMBER or --order NUMBER');
      }
      const args = phone === undefined ? { number: order } : { phone };
      const erased = (await askStore('customer.erase', args, rest, ({ store, clock, config }) => {
        const log = wordLog(createLog('error'));
        return erasureHandlers(
          createDispatch({ store, clock, settings: dispatchSettings(config), random: randomBytes, log }),
        );
      })) as Erased;
      process.stdout.write(json ? JSON.stringify(erased) + '\n' : inWords(erased));
    },
  );
}

function inWords({ erased, open, events, photos }: Erased): string {
  const waiting = open.length === 0 ? '' : `not ended yet, and kept: ${open.join(', ')}\n`;
  return `erased: ${erased.join(', ') || 'none'} (${events} events rewritten, ${photos} photos deleted)\n${waiting}`;
}

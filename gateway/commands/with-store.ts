/** Commands that work on the store: through the gateway that runs on an embedded one, else the store is opened here. */
import type { Command } from 'commander';
import { openClock } from '../../dispatch/clock.js';
import type { Clock } from '../../dispatch/ports.js';
import type { DispatchStore } from '../../dispatch/store/store.js';
import type { Config } from '../config/settings.js';
import { openConfigured } from '../config/open-configured.js';
import { callGateway, ControlError, NotRunning, type ControlHandlers } from '../control.js';
import { configOf } from './serve.js';

export interface StoreOptions {
  config?: string;
  store?: string;
}

export function withStore(command: Command): Command {
  return command.option('--config <file>', 'configuration file (YAML or JSON)').option('--store <url>', 'the store');
}

/** What idle handlers are made of. */
export interface IdleStore {
  store: DispatchStore;
  clock: Clock;
  now: () => number;
  config: Config;
}

/** Asks the running gateway; where none runs, or the store is a shared one, `handlers` are made on the store itself. */
export async function askStore(
  method: string,
  args: Record<string, unknown>,
  { config: file, store: url }: StoreOptions,
  handlers: (idle: IdleStore) => ControlHandlers,
): Promise<unknown> {
  const { config } = configOf({
    ...(file === undefined ? {} : { config: file }),
    ...(url === undefined ? {} : { store: url }),
  });
  if (config.store.startsWith('lmdb:')) {
    try {
      return await callGateway(config.store.slice('lmdb:'.length), method, args);
    } catch (error) {
      if (!(error instanceof NotRunning)) throw error;
    }
  }
  const store = await openConfigured(config);
  try {
    const clock = await openClock(store, config.clockRate);
    const handler = handlers({ store, clock, now: () => clock.now(), config })[method];
    if (!handler) throw new ControlError('unknownMethod', method);
    return await handler(args);
  } finally {
    await store.close();
  }
}

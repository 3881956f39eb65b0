/** What is kept how long (settings `retention…`): trims once an hour of gateway time. */
import type { DispatchPort } from '../dispatch/ports.js';
import type { Config } from './config/settings.js';

interface Log {
  info(fields: Record<string, unknown>, message: string): void;
  error(fields: Record<string, unknown>, message: string): void;
}

const DAY_MS = 86_400_000;
const EVERY_MS = 3_600_000;

export function startRetention(dispatch: DispatchPort, config: Config, log: Log): { stop(): Promise<void> } {
  let running: Promise<void> = Promise.resolve();
  const sweep = async (): Promise<void> => {
    const now = dispatch.clock.now();
    const blocks = await dispatch.store.trimPositions(now - config.retentionPositions * DAY_MS);
    if (blocks > 0) log.info({ blocks }, 'positions past their retention were deleted');
  };
  const timer = dispatch.clock.every(EVERY_MS, () => {
    running = running
      .then(sweep)
      .catch((error: unknown) => log.error({ err: error }, 'retention failed; it is tried again'));
  });
  return {
    stop: () => {
      timer.cancel();
      return running;
    },
  };
}

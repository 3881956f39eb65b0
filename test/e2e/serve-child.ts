/** A gateway in a process of its own, configured by its environment, for tests that kill it. */
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway } from '../../gateway/main.js';

await startGateway(loadConfig().config, { log: createLog('info') });

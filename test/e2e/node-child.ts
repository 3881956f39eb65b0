/** One gateway of several in a process of its own: configured by its environment, stops on SIGTERM as `serve` does. */
import { untilStopped } from '../../gateway/commands/serve.js';
import { loadConfig } from '../../gateway/config/load.js';
import { createLog } from '../../gateway/log.js';
import { startGateway } from '../../gateway/main.js';

// The test is gone: whatever ended it, nothing stays behind.
process.on('disconnect', () => process.exit());
const gateway = await startGateway(loadConfig().config, { log: createLog('info') });
process.send!(gateway.ports);
await untilStopped(gateway);
process.exit();

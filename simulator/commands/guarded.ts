import { RecordingError } from '../capture/recording.js';
import { ClockRateMismatch } from '../net/clock.js';
import { RouteError } from '../routes.js';
import { ScenarioError } from '../scenario.js';

const badUsage = 2;
const failed = 1;

const usageErrors = [ScenarioError, RouteError, ClockRateMismatch, RecordingError];

/** Runs a command and sets the exit status: 2 for what the user got wrong, 1 for what failed. */
export async function guarded(run: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await run();
  } catch (error) {
    const usage = usageErrors.some((one) => error instanceof one);
    process.stderr.write(`linecrew: ${describe(error)}\n`);
    process.exitCode = usage ? badUsage : failed;
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED' ? 'connection refused: ' : '';
  return `${refused}${error.message}${cause}`;
}

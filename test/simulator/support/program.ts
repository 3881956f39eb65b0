import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cli = ['--import', 'tsx', fileURLToPath(new URL('../../../gateway/cli.ts', import.meta.url))];

/** `linecrew …` as a user runs it. */
export interface Program {
  /** Resolves with the first match in what it says on standard error. */
  says(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ctrl-C. */
  interrupt(): void;
  ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

/** Settings of whoever runs the tests do not reach it. */
export function linecrew(args: readonly string[]): Program {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LINECREW_')));
  const child = spawn(process.execPath, [...cli, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const heard = { stdout: '', stderr: '' };
  let news = (): void => {};
  child.stdout.on('data', (chunk: Buffer) => (heard.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => {
    heard.stderr += chunk.toString();
    news();
  });
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => {
      resolve({ status, ...heard });
      news();
    });
  });
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        news = () => {
          const found = pattern.exec(heard.stderr);
          if (found !== null) resolve(found);
          else if (child.exitCode !== null) reject(new Error(`it ended and never said ${pattern}: ${heard.stderr}`));
        };
        news();
      }),
    interrupt: () => void child.kill('SIGINT'),
    ended,
  };
}

/** The account that a run with `--json` prints last. */
export function accountOf<T>(stdout: string): T {
  const lines = stdout.split('\n').filter((line) => line.startsWith('{'));
  return JSON.parse(lines.at(-1) ?? '{}') as T;
}

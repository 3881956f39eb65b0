import { Command } from 'commander';
import { vi } from 'vitest';

/** Runs `linecrew …` in this process on the store in `directory`, with the commands that `register` adds; gives what it prints. */
export async function runCommand(
  register: (program: Command) => void,
  directory: string,
  args: readonly string[],
): Promise<string> {
  const program = new Command().exitOverride();
  register(program);
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    await program.parseAsync([...args, '--store', `lmdb:${directory}`], { from: 'user' });
  } finally {
    spy.mockRestore();
  }
  return printed;
}

/** Upgrade of a terminal from a file that an administrator has put into the store (reference 5.5). */
import { z } from 'zod';
import { EncodeError, type Edition } from '../../protocol/index.js';
import { terminalFileBlob } from '../terminal-files.js';
import { message, terminalFunction } from './function.js';
import type { OutgoingMessage } from '../session/link.js';

const PARTS = { terminal: 0, icCardReader: 12, satelliteModule: 52 } as const;
const ascii = /^[\x20-\x7e]*$/;

const upgradeArguments = z.strictObject({
  file: z
    .string()
    .regex(/^[0-9a-f]{32}$/, { error: () => 'expected the id that POST /terminal-files gave' })
    .meta({ description: 'Id of the file (POST /terminal-files)' }),
  maker: z.string().regex(ascii).max(5).meta({ description: 'Maker id as `attributes` shows it' }),
  version: z.string().regex(ascii).min(1).max(40),
  part: z
    .enum(Object.keys(PARTS) as [keyof typeof PARTS])
    .optional()
    .meta({ description: 'Default terminal' }),
});
type Arguments = z.output<typeof upgradeArguments>;

/** Bodies of a file by their head, so that a whole fleet is sent the same bytes. */
const bodies = new WeakMap<Uint8Array, Map<string, OutgoingMessage>>();
/** Heads of one file: editions times parts; more is a mistake, and only costs time. */
const headsMax = 8;

function messageOf({ maker, version, part = 'terminal' }: Arguments, edition: Edition, data: Uint8Array): OutgoingMessage {
  const ofFile = bodies.get(data) ?? new Map<string, OutgoingMessage>();
  bodies.set(data, ofFile);
  const key = JSON.stringify([edition, maker, version, part]);
  const made =
    ofFile.get(key) ??
    ({ ...message('upgrade', edition, { type: PARTS[part], maker, version, data }), inWindows: true } as const);
  if (ofFile.size >= headsMax) ofFile.clear();
  ofFile.set(key, made);
  return made;
} // prettier-ignore

/** 0x0001 says that all of it has arrived; 0x0108 says how it ended, usually after a restart on a new connection. */
export const upgrade = terminalFunction<Arguments>({
  name: 'upgrade',
  title: 'Upgrade the terminal from an uploaded file',
  since: 2013,
  maintenance: true,
  awaits: 'upgradeResult',
  timeoutS: 86_400,
  arguments: upgradeArguments,
  file: ({ file }) => terminalFileBlob(file),
  render(args, edition, data) {
    if (data === undefined) throw new EncodeError('file', `there is no file ${args.file} any more`);
    return [messageOf(args, edition, data)];
  },
});

/** The Lua functions, one file each in `scripts/` with keys, arguments and result described there. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Script {
  source: string;
  sha: string;
}

function load(name: string): Script {
  // Relative to this file: the build copies scripts/ beside the compiled one.
  const source = readFileSync(new URL(`./scripts/${name}.lua`, import.meta.url), 'utf8');
  return { source, sha: createHash('sha1').update(source).digest('hex') };
}

export const scripts = {
  commit: load('commit'),
  scan: load('scan'),
  events: load('events'),
  eventsAfter: load('events-after'),
  rewriteEvents: load('rewrite-events'),
  everyDoc: load('every-doc'),
  due: load('due'),
  positions: load('positions'),
  compactTrack: load('compact-track'),
  trimTrack: load('trim-track'),
  claimTerminal: load('claim-terminal'),
  renewTerminal: load('renew-terminal'),
  releaseTerminal: load('release-terminal'),
  forgetLog: load('forget-log'),
};

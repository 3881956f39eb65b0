import { readFileSync } from 'node:fs';
import { InvalidArgumentError, type Command } from 'commander';
import { readPcap } from '../capture/pcap.js';
import { parseRecording, RecordingError, type Piece } from '../capture/recording.js';
import { Recorder } from '../net/record.js';
import { Replay, type ReplayReport } from '../net/replay.js';
import { guarded } from './guarded.js';
import { wholeNumber } from './options.js';
import { Progress, untilEnd } from './progress.js';

interface ReplayFlags {
  host: string;
  port: number;
  speed: number;
  perSecond: number;
  exact?: boolean;
  pcapPort?: number;
  json?: boolean;
}

/** Registers `linecrew simulate replay FILE`. */
export function registerReplay(simulate: Command): void {
  simulate
    .command('replay')
    .description('sends a recording (hex lines with times, or pcap) to any platform')
    .argument('<file>', 'recording of "linecrew record", hex lines, or a pcap file')
    .option('--host <host>', 'where JT/T 808 is spoken', '127.0.0.1')
    .option('--port <port>', 'TCP port of JT/T 808', wholeNumber(1, 65_535), 7808)
    .option('--speed <n>', 'times as fast as recorded; "max" without pauses', speed, 1)
    .option('--per-second <n>', 'pace of files without times, lines a second', wholeNumber(1, 1_000_000), 10)
    .option('--exact', 'every byte as recorded, also registration and authentication')
    .option('--pcap-port <port>', 'port of the platform in a pcap file', wholeNumber(1, 65_535))
    .option('--json', 'JSON lines instead of text')
    .action((file: string, flags: ReplayFlags) => guarded(() => runReplay(file, flags)));
}

/** Registers `linecrew record`. */
export function registerRecord(program: Command): void {
  program
    .command('record')
    .description('transparent proxy between terminals and a platform that writes a recording')
    .argument('<file>', 'new file for the recording')
    .requiredOption('--to <host:port>', 'the platform behind', target)
    .option('--listen <port>', 'where terminals connect', wholeNumber(0, 65_535), 7809)
    .option('--listen-host <host>', 'address to listen on', '0.0.0.0')
    .option('--json', 'JSON lines instead of text')
    .action(
      (
        file: string,
        flags: { to: { host: string; port: number }; listen: number; listenHost: string; json?: boolean },
      ) =>
        guarded(async () => {
          const { host, port } = flags.to;
          const recorder = new Recorder({ listenHost: flags.listenHost, listenPort: flags.listen, host, port, file });
          const taken = await recorder.start();
          process.stderr.write(`recording to ${file}: terminals connect to port ${taken}, platform ${host}:${port}\n`);
          const line = (): string => {
            const { connections, open, up, down } = recorder.counts;
            return `connections ${open} open, ${connections} in all; ${up} bytes up, ${down} down`;
          };
          const progress = new Progress(line, () => ({ ...recorder.counts }), flags.json === true);
          progress.start();
          await untilEnd(undefined);
          progress.stop();
          await recorder.stop();
          process.stdout.write(flags.json === true ? `${JSON.stringify(recorder.counts)}\n` : `${line()}\n`);
          return 0;
        }),
    );
}

/** Reads a recording in any of its forms. @throws RecordingError with the file and the place of the first mistake */
export function readPieces(file: string, pcapPort?: number): Piece[] {
  try {
    return parsePieces(readFileSync(file), pcapPort);
  } catch (error) {
    throw new RecordingError(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function parsePieces(bytes: Buffer, pcapPort: number | undefined): Piece[] {
  const magic = bytes.length >= 4 ? bytes.readUInt32BE(0) : 0;
  const isText = bytes
    .subarray(0, 512)
    .every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  if (!isText || magic === 0xa1b2c3d4) {
    const pieces = readPcap(bytes, pcapPort);
    if (pieces.length === 0) throw new RecordingError('expected packets of TCP connections, found none');
    return pieces;
  }
  const pieces = parseRecording(bytes.toString('utf8'));
  if (pieces.length === 0) throw new RecordingError('expected recorded lines, found none');
  return pieces;
}

async function runReplay(file: string, flags: ReplayFlags): Promise<number> {
  const pieces = readPieces(file, flags.pcapPort);
  const { host, port, perSecond } = flags;
  const replay = new Replay({
    host,
    port,
    pieces,
    speed: flags.speed,
    perSecond,
    login: flags.exact !== true,
    drainMs: 5_000,
  });
  const progress = new Progress(
    () => `replayed ${replay.done} of ${pieces.length} pieces`,
    () => ({ done: replay.done, of: pieces.length }),
    flags.json === true,
  );
  progress.start();
  process.once('SIGINT', () => replay.stop());
  const report = await replay.run();
  progress.stop();
  const json = JSON.stringify({ type: 'report', scenario: 'replay', ...report });
  process.stdout.write(flags.json === true ? `${json}\n` : `${format(report)}\n`);
  return report.answered < report.expecting ? 1 : 0;
}

function format(report: ReplayReport): string {
  const { connections, loggedIn, refused, frames, bytes, expecting, answered, answeredWithError, delayMs } = report;
  return [
    `replay: ${connections} connections, ${loggedIn} logged in, ${refused} refused, ${frames} frames, ${bytes} bytes`,
    `answers     expected ${expecting}  got ${answered}  refusals ${answeredWithError}  missing ${expecting - answered}`,
    `delay       p50 ${delayMs.p50.toFixed(1)} ms  p99 ${delayMs.p99.toFixed(1)} ms  max ${delayMs.max.toFixed(1)} ms`,
  ].join('\n');
}

function speed(text: string): number {
  if (text === 'max') return Infinity;
  const value = Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('expected a number above 0, or "max"');
}

function target(text: string): { host: string; port: number } {
  const found = /^\[?([^\]]+?)\]?:(\d+)$/.exec(text);
  const port = Number(found?.[2]);
  if (found === null || port < 1 || port > 65_535) throw new InvalidArgumentError('expected host:port');
  return { host: found[1]!, port };
}

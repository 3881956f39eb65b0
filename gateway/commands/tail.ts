import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import { openClock } from '../../dispatch/clock.js';
import { createDispatch } from '../../dispatch/service.js';
import { decodeDownlink, decodeUplink, FrameSplitter, fromHex, messageName, toHex } from '../../protocol/index.js';
import { dispatchSettings } from '../config/dispatch-settings.js';
import { ConfigError } from '../config/load.js';
import { openConfigured } from '../config/open-configured.js';
import { controlDirectory, followGateway, NotRunning } from '../control.js';
import { createLog, wordLog } from '../log.js';
import { tail, type Tailed, type TailOf } from '../tail.js';
import { configOf } from './serve.js';
import { withStore, type StoreOptions } from './with-store.js';

/** `linecrew tail`: one order or terminal, live. */
export function registerTail(program: Command): void {
  withStore(
    program
      .command('tail')
      .description('follow one order or terminal live: its events, and the frames of a terminal')
      .addOption(new Option('--terminal <number>', 'number of the terminal').conflicts('order'))
      .option('--order <number>', 'number or id of the order')
      .option('--json', 'one JSON object a line'),
  ).action(async ({ terminal, order, json, ...rest }: StoreOptions & TailOf & { json?: boolean }) => {
    if (terminal === undefined && order === undefined) {
      throw new ConfigError('tail: expected --terminal NUMBER or --order NUMBER');
    }
    const show = json ? (one: Tailed) => JSON.stringify(one) + '\n' : words();
    const of: TailOf = terminal === undefined ? { order } : { terminal: terminal.replace(/^0+(?=.)/, '') };
    await follow(of, rest, (one) => process.stdout.write(show(one)));
  });
}

/** Until the gateway ends, or Ctrl-C. */
async function follow(of: TailOf, options: StoreOptions, emit: (tailed: Tailed) => void): Promise<void> {
  const { config } = configOf({ ...options });
  try {
    return await followGateway(controlDirectory(config), 'tail', { ...of }, (line) => emit(line as Tailed));
  } catch (error) {
    // A store that several share tells the events without a gateway here.
    if (!(error instanceof NotRunning) || config.store.startsWith('lmdb:')) throw error;
  }
  const store = await openConfigured(config);
  const clock = await openClock(store, config.clockRate);
  const log = wordLog(createLog('error'));
  const dispatch = createDispatch({ store, clock, settings: dispatchSettings(config), random: randomBytes, log });
  const stop = await tail(dispatch, of, emit);
  await new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  stop();
  await dispatch.stop();
  await store.close();
}

/** One message of terminal.proto. Fields of bytes are shown as hex. */
function messageLine({ at, direction, hex }: Extract<Tailed, { kind: 'bytes' }>): string {
  const arrow = direction === 'in' ? '<-' : '->';
  const show = (_key: string, value: unknown): unknown => (value instanceof Uint8Array ? toHex(value) : value);
  try {
    const message = direction === 'in' ? decodeUplink(fromHex(hex)) : decodeDownlink(fromHex(hex));
    return `${time(at)}  ${arrow} ${JSON.stringify(message, show)}\n`;
  } catch (error) {
    return `${time(at)}  ${arrow} no message of terminal.proto: ${(error as Error).message}  ${hex}\n`;
  }
}

const time = (at: number): string => new Date(at).toISOString();

/** Lines for people. Bytes come as the socket gave them; each direction of each connection is cut into frames here. */
function words(): (one: Tailed) => string {
  const splitters = new Map<string, FrameSplitter>();
  return (one) => {
    switch (one.kind) {
      case 'about':
        return `# ${one.words}\n`;
      case 'missed':
        return `# ${one.pieces} pieces more than can be shown were left out\n`;
      case 'event': {
        const { type, position, committedAt, source, by, leg, data } = one.event;
        const about = leg === undefined ? '' : ` leg ${leg}`;
        return `${time(committedAt)}  event ${position}  ${type}${about}  ${source} ${by}  ${JSON.stringify(data)}\n`;
      }
      case 'bytes': {
        if (one.form === 'protobuf') return messageLine(one);
        const key = `${one.connection} ${one.direction}`;
        const splitter = splitters.get(key) ?? new FrameSplitter();
        splitters.set(key, splitter);
        const arrow = one.direction === 'in' ? '<-' : '->';
        let lines = '';
        splitter.push(fromHex(one.hex), {
          frame: ({ messageId, serial, body, total, index }) => {
            const id = `0x${messageId.toString(16).padStart(4, '0')}`;
            const part = total > 0 ? ` part ${index}/${total}` : '';
            lines += `${time(one.at)}  ${arrow} ${id} ${messageName(messageId) ?? 'unknown'} ${serial}${part}  ${toHex(body)}\n`;
          },
          refused: (error) => {
            lines += `${time(one.at)}  ${arrow} no frame: ${error.message}\n`;
          },
        });
        return lines;
      }
    }
  };
}

/**
 * Client process that sends locations at a fixed pace, spread over its terminals, whatever became of those before (open
 * loop). It turns without a pause, so that each frame goes when it is due and an answer is taken when it comes: timers of
 * a millisecond would be most of what it measures. One core is busy with that, whoever the server is.
 */
import type { Socket } from 'node:net';
import { Histogram } from '../../simulator/histogram.js';
import { Frames } from './ingest-load.js';
import { login, openAll } from './terminal-client.js';

const [port, connections, framesPerS] = process.argv.slice(2).map(Number) as [number, number, number];

/** Times at which unanswered frames were due, in order: answers come in order. */
class Terminal {
  #due: number[] = [];
  #flags = 0;
  readonly #frames: Frames;

  constructor(
    private readonly socket: Socket,
    index: number,
  ) {
    this.#frames = new Frames(index, 1, Date.now());
    socket.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(0x7e); at >= 0; at = chunk.indexOf(0x7e, at + 1)) this.#flags++;
      for (; this.#flags >= 2; this.#flags -= 2) {
        const due = this.#due.shift();
        if (due !== undefined) delays.record(performance.now() - due);
      }
    });
  }

  send(due: number): void {
    this.#due.push(due);
    this.socket.write(this.#frames.next());
  }
}

let delays = new Histogram();
const sockets = await openAll(connections, (index) => login(port, index));
const terminals = sockets.map((socket, index) => new Terminal(socket, index));
let sent = 0;
let startedAt = 0;

function tick(): void {
  for (
    let due = startedAt + (sent * 1000) / framesPerS;
    due <= performance.now();
    due = startedAt + (++sent * 1000) / framesPerS
  )
    terminals[sent % terminals.length]!.send(due);
  setImmediate(tick);
}

process.on('message', (message) => {
  if (message === 'go') {
    startedAt = performance.now();
    setImmediate(tick);
  }
  if (message === 'forget') delays = new Histogram();
  if (message === 'delays') process.send!(delays.summary());
  if (message === 'stop') process.exit(0);
});
process.on('disconnect', () => process.exit(0));
process.send!('ready');

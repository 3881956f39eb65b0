/**
 * Client process that sends locations at a fixed pace, spread over its terminals, whatever became of those before (open
 * loop). Between its turns it sleeps a twentieth of a millisecond: a timer of Node's sleeps one at least, which would be most
 * of what it measures, and a client that never sleeps would take a core from the server.
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
const nap = new Int32Array(new SharedArrayBuffer(4));
const napMs = 0.05;
let sent = 0;
let startedAt = 0;

const dueAt = (frame: number): number => startedAt + (frame * 1000) / framesPerS;

function tick(): void {
  for (let due = dueAt(sent); due <= performance.now(); due = dueAt(++sent))
    terminals[sent % terminals.length]!.send(due);
  Atomics.wait(nap, 0, 0, napMs);
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

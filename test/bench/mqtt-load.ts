/** MQTT 3.1.1 clients as plain sockets: QoS 1 publishes with a number in flight, PUBACKs counted. */
import { connect, type Socket } from 'node:net';
import { encodeUplink } from '../../protocol/index.js';

export const SECRET = 'a secret of sixteen';
export const phoneOf = (i: number): string => String(13_900_000_000 + i);

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes]);
}

function packet(type: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length: number[] = [];
  for (let left = body.length; ;) {
    length.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
    if (left === 0) break;
  }
  return Buffer.concat([Buffer.from([type, ...length]), body]);
}

/** Connections that keep `inFlight` publishes unacknowledged each. */
export class MqttLoad {
  acknowledged = 0;
  readonly #sockets: Socket[] = [];
  #stopped = false;

  async connect(port: number, connections: number): Promise<void> {
    // A few at a time: the benchmark is about messages, not about logins.
    for (let i = 0; i < connections; i += 20) {
      const some = Array.from({ length: Math.min(20, connections - i) }, (_, k) => this.#connect(port, phoneOf(i + k)));
      this.#sockets.push(...(await Promise.all(some)));
    }
  }

  start(inFlight: number): void {
    this.#sockets.forEach((socket, i) => this.#drive(socket, phoneOf(i), inFlight));
  }

  stop(): void {
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  #connect(port: number, phone: string): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      const header = Buffer.concat([text('MQTT'), Buffer.from([4, 0xc2, 0, 120])]);
      socket.write(packet(0x10, header, text(phone), text(phone), text(SECRET)));
      socket.once('data', (answer) =>
        answer[3] === 0 ? resolve(socket) : reject(new Error(`refused with ${answer[3]}`)),
      );
      socket.on('error', (error) => (this.#stopped ? undefined : reject(error)));
    });
  }

  #drive(socket: Socket, phone: string, inFlight: number): void {
    const topic = text(`linecrew/v1/t/${phone}/up`);
    let sequence = 0;
    const publish = (): Buffer => {
      const id = (sequence % 65_535) + 1;
      const at = {
        atMs: 1.7e12 + sequence++ * 1000,
        lat: 39.9,
        lon: 116.4,
        altitudeM: 50,
        speedKmh: 30,
        headingDeg: 90,
        alarm: 0,
        status: 3,
      };
      const uplink = encodeUplink({ sequence, sentAtMs: at.atMs, body: { kind: 'positions', positions: [at] } });
      return packet(0x32, topic, Buffer.from([id >> 8, id & 255]), Buffer.from(uplink));
    };
    let odd = 0;
    socket.on('data', (answer) => {
      // PUBACKs are the only packets that come: four bytes each.
      const count = Math.floor((odd + answer.length) / 4);
      odd = (odd + answer.length) % 4;
      this.acknowledged += count;
      if (!this.#stopped && count > 0) socket.write(Buffer.concat(Array.from({ length: count }, publish)));
    });
    socket.write(Buffer.concat(Array.from({ length: inFlight }, publish)));
  }
}

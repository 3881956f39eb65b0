import { createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * Somebody else's platform in a few lines, written from the standard alone and sharing no code with the product: it
 * answers a registration (0x0100) with 0x8100 and everything else with 0x8001, and knows nothing more.
 */
export class ForeignServer {
  /** How many messages came, by id. */
  readonly seen = new Map<number, number>();
  /** Phone numbers in headers. */
  readonly phones = new Set<string>();
  /** Frames whose check code is wrong. */
  broken = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((socket) => {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      const parts = splitAt(Buffer.concat([rest, chunk]), 0x7e);
      rest = Buffer.from(parts.pop()!);
      for (const part of parts) if (part.length > 0) this.#frame(unescape(part), socket);
    });
  });

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #frame(frame: Buffer, socket: Socket): void {
    if (frame.reduce((sum, byte) => sum ^ byte, 0) !== 0) this.broken += 1;
    const id = frame.readUInt16BE(0);
    const is2019 = (frame.readUInt16BE(2) & 0x4000) !== 0;
    const serialAt = is2019 ? 15 : 10;
    const phone = frame.subarray(is2019 ? 5 : 4, serialAt);
    const serial = frame.subarray(serialAt, serialAt + 2);
    this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
    this.phones.add(phone.toString('hex').replace(/^0+/, ''));
    const ok = 0;
    const [answer, body] =
      id === 0x0100
        ? [0x8100, Buffer.concat([serial, Buffer.from([ok]), Buffer.from('8888')])]
        : [0x8001, Buffer.concat([serial, frame.subarray(0, 2), Buffer.from([ok])])];
    const head = Buffer.alloc(4);
    head.writeUInt16BE(answer, 0);
    head.writeUInt16BE(body.length | (is2019 ? 0x4000 : 0), 2);
    const version = is2019 ? Buffer.from([1]) : Buffer.alloc(0);
    const plain = Buffer.concat([head, version, phone, Buffer.from([0, 1]), body]);
    const check = plain.reduce((sum, byte) => sum ^ byte, 0);
    socket.write(Buffer.concat([Buffer.from([0x7e]), escape([...plain, check]), Buffer.from([0x7e])]));
  }
}

/** The pieces between the bytes; the last one is what came after the last of them. */
function splitAt(bytes: Buffer, byte: number): Buffer[] {
  const parts: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(byte); at >= 0; at = bytes.indexOf(byte, from)) {
    parts.push(bytes.subarray(from, at));
    from = at + 1;
  }
  parts.push(bytes.subarray(from));
  return parts;
}

/** 0x7d 0x02 stands for 0x7e, 0x7d 0x01 for 0x7d. */
function unescape(bytes: Buffer): Buffer {
  const plain: number[] = [];
  for (let i = 0; i < bytes.length; i++) plain.push(bytes[i] === 0x7d ? 0x7c + bytes[++i]! : bytes[i]!);
  return Buffer.from(plain);
}

function escape(bytes: readonly number[]): Buffer {
  return Buffer.from(bytes.flatMap((byte) => (byte === 0x7e || byte === 0x7d ? [0x7d, byte - 0x7c] : [byte])));
}

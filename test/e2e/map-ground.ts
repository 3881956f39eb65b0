/** Grounds that the tests of the map make themselves: a picture as PNG, a server of tiles, a PMTiles file. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { crc32, deflateSync } from 'node:zlib';

export type Rgb = readonly [red: number, green: number, blue: number];

/** A tile of 256 pixels in one colour (PNG specification, 5 and 11). */
export function tile([red, green, blue]: Rgb): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    check.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, check]);
  };
  const head = Buffer.from([0, 0, 1, 0, 0, 0, 1, 0, 8, 2, 0, 0, 0]);
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(256 * 3)]);
  for (let x = 0; x < 256; x++) row.set([red, green, blue], 1 + x * 3);
  const rows = Buffer.concat(Array.from({ length: 256 }, () => row));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk('IHDR', head),
    chunk('IDAT', deflateSync(rows)),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

/** Little-endian groups of seven bits (PMTiles 3, 3.2). */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return [...bytes, rest];
    bytes.push((rest % 128) | 128);
  }
}

/** A vector tile that one layer of the base-map schema covers (Mapbox Vector Tile 2.1, section 4). */
export function vectorTile(layer: string): Buffer {
  const field = (number: number, bytes: readonly number[]): number[] => [
    (number << 3) | 2,
    ...varint(bytes.length),
    ...bytes,
  ];
  const count = (number: number, value: number): number[] => [number << 3, ...varint(value)];
  const extent = 4_096;
  // From the upper left corner once around: commands with their counts, steps zigzag-coded.
  const [there, back] = [extent * 2, extent * 2 - 1];
  const ring = [9, 0, 0, 26, there, 0, 0, there, back, 0, 15].flatMap(varint);
  const polygon = 3;
  const feature = [...count(3, polygon), ...field(4, ring)];
  const version = 2;
  const body = [...count(15, version), ...field(1, [...Buffer.from(layer)]), ...field(2, feature), ...count(5, extent)];
  return Buffer.from(field(3, body));
}

/** Tile types of PMTiles 3. */
const TILE_TYPES = { vector: 1, png: 2 } as const;

/** A PMTiles file of version 3 in which one tile is every tile of zoom 0 to `maxZoom`, without compression. */
export function pmtiles(picture: Buffer, maxZoom: number, type: keyof typeof TILE_TYPES = 'png'): Buffer {
  // Tiles are numbered along the zooms, 1 + 4 + 16 + …; one entry with a run length says that all are the same.
  const tiles = (4 ** (maxZoom + 1) - 1) / 3;
  const directory = Buffer.from([
    ...varint(1),
    ...varint(0),
    ...varint(tiles),
    ...varint(picture.length),
    ...varint(1),
  ]);
  const metadata = Buffer.from('{}');
  const head = Buffer.alloc(127);
  head.write('PMTiles', 'latin1');
  head[7] = 3;
  const sizes = [directory.length, metadata.length, 0, picture.length];
  let offset = head.length;
  sizes.forEach((size, i) => {
    head.writeBigUInt64LE(BigInt(offset), 8 + i * 16);
    head.writeBigUInt64LE(BigInt(size), 16 + i * 16);
    offset += size;
  });
  for (const at of [72, 80, 88]) head.writeBigUInt64LE(at === 72 ? BigInt(tiles) : 1n, at);
  // Clustered, no compression within, none of tiles, what tiles are, zooms.
  head.set([1, 1, 1, TILE_TYPES[type], 0, maxZoom], 96);
  for (const [at, degrees] of [[102, -180], [106, -85], [110, 180], [114, 85]] as const)
    head.writeInt32LE(degrees * 1e7, at); // prettier-ignore
  return Buffer.concat([head, directory, metadata, picture]);
}

export interface GroundServer {
  url: string;
  /** Paths that were asked for. */
  asked: string[];
  close(): Promise<void>;
}

/** Answers by path; what `answer` gives nothing for is 404. */
export async function groundServer(
  answer: (path: string) => { status?: number; type: string; body: Buffer | string } | undefined,
): Promise<GroundServer> {
  const asked: string[] = [];
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://ground').pathname;
    asked.push(path);
    const found = answer(path);
    response.setHeader('access-control-allow-origin', '*');
    response
      .writeHead(found ? (found.status ?? 200) : 404, { 'content-type': found?.type ?? 'text/plain' })
      .end(found?.body ?? 'none');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((closed) => {
        server.closeAllConnections();
        server.close(() => closed());
      }),
  };
}

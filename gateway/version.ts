import { existsSync, readFileSync } from 'node:fs';

/** Works from source (`gateway/`) and from the build (`dist/gateway/`). */
const file = ['../package.json', '../../package.json']
  .map((path) => new URL(path, import.meta.url))
  .find((url) => existsSync(url));

/** Version of this package, as published. */
export const version: string = file
  ? (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  : 'unknown';

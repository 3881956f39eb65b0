/** Certificates and keys that the configuration names, read and held against each other before anything starts. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { envOf } from './field.js';
import { ConfigError } from './load.js';
import type { Config } from './settings.js';

/** PEM texts. */
export interface TlsPair {
  cert: Buffer;
  key: Buffer;
  /** Who signs the terminals' certificates. */
  ca?: Buffer;
}
export interface TlsFiles {
  /** Of the console and the API. */
  http?: TlsPair | undefined;
  /** Of the terminals' ports. */
  terminals?: TlsPair | undefined;
}

type FileKey = 'httpTlsCert' | 'httpTlsKey' | 'tlsCert' | 'tlsKey' | 'tlsCa';

/** @throws {ConfigError} that names every setting whose file cannot be read, is no PEM of its kind, or does not fit */
export function readTlsFiles(config: Pick<Config, FileKey>): TlsFiles {
  const wrong: string[] = [];
  const read = (key: FileKey, what: string, check: (pem: Buffer) => unknown): Buffer | undefined => {
    const path = config[key];
    if (path === undefined) return undefined;
    try {
      const pem = readFileSync(path);
      check(pem);
      return pem;
    } catch (error) {
      wrong.push(`${envOf(key)}: ${JSON.stringify(path)} — expected ${what}: ${(error as Error).message}`);
      return undefined;
    }
  };
  const certificate = (pem: Buffer): X509Certificate => new X509Certificate(pem);
  const pair = (certKey: 'httpTlsCert' | 'tlsCert', keyKey: 'httpTlsKey' | 'tlsKey'): TlsPair | undefined => {
    const cert = read(certKey, 'a file with a certificate (PEM)', certificate);
    const key = read(keyKey, 'a file with a private key (PEM, without a passphrase)', createPrivateKey);
    if (!cert || !key) return undefined;
    const fits = certificate(cert).checkPrivateKey(createPrivateKey(key));
    const where = `${envOf(keyKey)}: ${JSON.stringify(config[keyKey])}`;
    if (!fits) wrong.push(`${where} — expected the key of the certificate in ${envOf(certKey)} (${config[certKey]})`);
    else refuseUnfit(where, { cert, key }, wrong);
    return { cert, key };
  };
  const http = pair('httpTlsCert', 'httpTlsKey');
  const terminals = pair('tlsCert', 'tlsKey');
  const ca = read('tlsCa', 'a file with a CA certificate (PEM)', certificate);
  if (wrong.length > 0) throw new ConfigError(wrong.join('\n'));
  return { http, terminals: terminals && (ca ? { ...terminals, ca } : terminals) };
}

/** Too weak a key, or a chain in the wrong order, shows only here. */
function refuseUnfit(where: string, pair: TlsPair, wrong: string[]): void {
  try {
    createSecureContext(pair);
  } catch (error) {
    wrong.push(`${where} — expected a key and certificate that TLS takes: ${(error as Error).message}`);
  }
}

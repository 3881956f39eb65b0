/** A CA, a server certificate and a client certificate, made anew for a test. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates {
  ca: string;
  server: { cert: string; key: string };
  client: { cert: string; key: string };
}

/** @param clientName common name of the client's certificate */
export function makeCertificates(clientName = 'client'): Certificates {
  const directory = mkdtempSync(join(tmpdir(), 'linecrew-certificates-'));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  try {
    openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test CA');
    for (const name of ['server', 'client']) {
      const subject = `/CN=${name === 'client' ? clientName : name}`;
      openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', subject);
      writeFileSync(join(directory, 'san'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
      const files = ['-in', `${name}.csr`, '-out', `${name}.pem`, '-extfile', 'san', '-days', '2'];
      openssl('x509', '-req', '-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', ...files);
    }
    const pair = (name: string) => ({ cert: read(`${name}.pem`), key: read(`${name}.key`) });
    return { ca: read('ca.pem'), server: pair('server'), client: pair('client') };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

import { envOf } from './field.js';
import type { Config } from './settings.js';

type PortKey = 'httpPort' | 'tcpPort' | 'tlsPort' | 'mqttPort' | 'mqttTlsPort' | 'mqttWsPort';
type HostKey = 'httpHost' | 'tcpHost' | 'mqttHost';

const WHY: Partial<Record<string, string>> = {
  EADDRINUSE: 'another program listens there already',
  EACCES: 'this user may not listen there (ports below 1024 are for root)',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'this address is not known',
};

/**
 * Opens the port that a setting names.
 * @throws {Error} that names the settings and says why the port cannot be had
 */
export async function listening<T>(
  config: Config,
  portKey: PortKey,
  hostKey: HostKey,
  open: (at: { port: number; host: string }) => Promise<T>,
): Promise<T> {
  const [port, host] = [config[portKey], config[hostKey]];
  if (port === 'off') throw new Error(`${envOf(portKey)} is off`);
  try {
    return await open({ port, host });
  } catch (error) {
    const why = WHY[String((error as NodeJS.ErrnoException).code)];
    if (why === undefined) throw error;
    throw new Error(`${envOf(portKey)}=${port}, ${envOf(hostKey)}=${host}: ${why}`, { cause: error });
  }
}

/** MQTT as the configuration asks for it: the embedded broker, an external one, or none. */
import type { Accounts } from '../../dispatch/accounts.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import { listening } from '../config/listening.js';
import type { Config } from '../config/settings.js';
import type { TlsPair } from '../config/tls-files.js';
import type { Logger } from '../log.js';
import type { TerminalGateway } from '../terminal-gateway.js';
import type { MqttCounters } from './counters.js';
import { EmbeddedBroker } from './embedded.js';
import { ExternalBroker } from './external.js';

export interface Mqtt {
  readonly counters: MqttCounters;
  /** Ports really taken; none with an external broker. */
  readonly ports: { mqtt?: number; mqttTls?: number; mqttWs?: number };
  close(): Promise<void>;
}

export interface MqttDeps {
  dispatch: DispatchPort;
  accounts: Pick<Accounts, 'token'>;
  terminals: TerminalGateway;
  log: Logger;
  /** For the ports with TLS. */
  tls?: TlsPair | undefined;
}

/** Rejects when a port cannot be had. Undefined where MQTT is off. */
export async function startMqtt(config: Config, deps: MqttDeps): Promise<Mqtt | undefined> {
  const node = config.nodeId;
  if (config.mqttUrl !== undefined) {
    const external = ExternalBroker.start({
      ...deps,
      node,
      url: config.mqttUrl,
      user: config.mqttUser,
      password: config.mqttPassword,
      connections: config.mqttConnections,
      version: config.mqttVersion,
    });
    return { counters: external.counters, ports: {}, close: () => external.close() };
  }
  const wanted = [config.mqttPort, config.mqttTlsPort, config.mqttWsPort];
  if (wanted.every((port) => port === 'off')) return undefined;
  const broker = await EmbeddedBroker.create({ ...deps, node });
  try {
    return { counters: broker.counters, ports: await openPorts(broker, config, deps.tls), close: () => broker.close() };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

async function openPorts(broker: EmbeddedBroker, config: Config, tls: TlsPair | undefined): Promise<Mqtt['ports']> {
  const ports: Mqtt['ports'] = {};
  const open = (key: 'mqttPort' | 'mqttTlsPort' | 'mqttWsPort', kind: 'tcp' | 'tls' | 'ws'): Promise<number> =>
    listening(config, key, 'mqttHost', (at) => broker.listen({ ...at, kind, ...(kind === 'tcp' ? {} : { tls }) }));
  if (config.mqttPort !== 'off') ports.mqtt = await open('mqttPort', 'tcp');
  if (config.mqttTlsPort !== 'off') ports.mqttTls = await open('mqttTlsPort', 'tls');
  if (config.mqttWsPort !== 'off') ports.mqttWs = await open('mqttWsPort', 'ws');
  return ports;
}

/** MQTT as the configuration asks for it: the embedded broker, an external one, or none. */
import { readFileSync } from 'node:fs';
import type { Accounts } from '../../dispatch/accounts.js';
import type { DispatchPort } from '../../dispatch/ports.js';
import type { Config } from '../config/settings.js';
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
}

/** Rejects when a port cannot be had or a certificate is wrong. Undefined where MQTT is off. */
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
    return { counters: broker.counters, ports: await openPorts(broker, config), close: () => broker.close() };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

async function openPorts(broker: EmbeddedBroker, config: Config): Promise<Mqtt['ports']> {
  const { mqttPort, mqttTlsPort, mqttWsPort, mqttHost: host, tlsCert, tlsKey, tlsCa } = config;
  const files = tlsCert !== undefined && tlsKey !== undefined;
  const ca = tlsCa === undefined ? {} : { ca: readFileSync(tlsCa) };
  const tls = files ? { cert: readFileSync(tlsCert), key: readFileSync(tlsKey), ...ca } : undefined;
  const ports: Mqtt['ports'] = {};
  if (mqttPort !== 'off') ports.mqtt = await broker.listen({ port: mqttPort, host, kind: 'tcp' });
  if (mqttTlsPort !== 'off') ports.mqttTls = await broker.listen({ port: mqttTlsPort, host, kind: 'tls', tls });
  if (mqttWsPort !== 'off') ports.mqttWs = await broker.listen({ port: mqttWsPort, host, kind: 'ws', tls });
  return ports;
}

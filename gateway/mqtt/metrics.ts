/** What the MQTT side counts, as Prometheus reads it. */
import { Counter, Gauge, type Registry } from 'prom-client';
import type { MqttCounters } from './counters.js';

type Plain = Exclude<keyof MqttCounters, 'cutOff' | 'clients'>;

const HELP: Record<Plain, string> = {
  connects: 'MQTT logins tried',
  connectsRefused: 'MQTT connections and logins refused',
  uplinks: 'payloads of terminals taken',
  downlinks: 'payloads published to terminals',
  publishesDenied: 'publishes on foreign topics, dropped',
  subscriptionsDenied: 'subscriptions refused',
  eventsPublished: 'events published to integrators',
};

export function registerMqttMetrics(registry: Registry, counters: MqttCounters): void {
  const registers = [registry];
  for (const [key, help] of Object.entries(HELP) as [Plain, string][]) {
    const name = `linecrew_mqtt_${key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_total`;
    // A counter is set at the scrape from a number that only grows.
    new Counter({ name, help, registers, collect() { this.reset(); this.inc(counters[key]); } }); // prettier-ignore
  }
  new Gauge({
    name: 'linecrew_mqtt_clients', help: 'open MQTT connections', registers,
    collect() { this.set(counters.clients); },
  }); // prettier-ignore
  new Counter({
    name: 'linecrew_mqtt_cut_off_total', help: 'MQTT connections ended by the gateway', registers, labelNames: ['reason'],
    collect() {
      this.reset();
      for (const [reason, count] of Object.entries(counters.cutOff)) this.inc({ reason }, count);
    },
  }); // prettier-ignore
}

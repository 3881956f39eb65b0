/** Every bound on what an MQTT client can make the gateway hold or do, with its reason. Times are ms of gateway time. */
export interface MqttLimits {
  /** Bytes of one packet: a batch of 500 positions has 25 kB, the codec takes 64 KiB. */
  readonly packetBytes: number;
  /** Packets of one client in a second, and at once: a terminal empties a day of positions in batches of hundreds. */
  readonly packetsPerSecond: number;
  readonly packetBurst: number;
  /** Denied publishes and subscriptions of one connection before it is cut off; a wrong setting makes a few. */
  readonly denials: number;
  /** Bytes that a client has not taken yet, above which deliveries wait. */
  readonly sendBytes: number;
  /** Bytes of a terminal's uplinks that wait to be durable, above which it is not read. */
  readonly uplinkBytes: number;
  /** Events on the way to one integrator without its PUBACK. */
  readonly eventWindow: number;
  /** Incoming QoS 2 messages of one client between PUBLISH and PUBREL. */
  readonly inboundQos2: number;
  /** Clients of integrators whose place in the event log is remembered, for each token. */
  readonly cursorsPerToken: number;
  /** Pause before an append that failed is tried again. */
  readonly appendRetryMs: number;
}

export const defaultMqttLimits: MqttLimits = {
  packetBytes: 64 * 1024 + 512,
  packetsPerSecond: 500,
  packetBurst: 5_000,
  denials: 20,
  sendBytes: 256 * 1024,
  uplinkBytes: 256 * 1024,
  eventWindow: 100,
  inboundQos2: 20,
  cursorsPerToken: 16,
  appendRetryMs: 500,
};

/** What the MQTT side counts, read by `/metrics`. Counts only grow, `clients` goes up and down. */
export class MqttCounters {
  clients = 0;
  connects = 0;
  connectsRefused = 0;
  uplinks = 0;
  downlinks = 0;
  /** Publishes on foreign topics: accepted as the protocol wants it, dropped. */
  publishesDenied = 0;
  subscriptionsDenied = 0;
  /** Connections ended for what they sent, by reason. */
  readonly cutOff: Record<string, number> = {};
  eventsPublished = 0;
}

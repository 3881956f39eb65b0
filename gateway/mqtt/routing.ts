/** How messages move through aedes: to one client, or to nobody. */
import type { Aedes, Client, PublishPacket } from 'aedes';
import { NOWHERE } from './topics.js';

/** Messages for nobody need not be looked up, numbered and handed round: that is most of what a message costs aedes. */
export function routeNothing(broker: Aedes): void {
  const publish = broker.publish.bind(broker) as (packet: PublishPacket, ...rest: unknown[]) => void;
  broker.publish = (packet: PublishPacket, ...rest: unknown[]): void => {
    if (packet.topic !== NOWHERE) return publish(packet, ...rest);
    (rest.at(-1) as () => void)();
  };
}

/** The packet stays one that the broker acknowledges, and reaches nobody. */
export function nowhere(packet: PublishPacket): void {
  packet.topic = NOWHERE;
  packet.payload = '';
  packet.retain = false;
}

/** Hands a message to one client. Rejects when it is gone. */
export function publishTo(client: Client, topic: string, payload: string | Buffer, qos: 0 | 1): Promise<void> {
  return new Promise((resolve, reject) => {
    if (client.closed) return reject(new Error('the client is gone'));
    client.publish({ cmd: 'publish', topic, payload, qos, retain: false, dup: false }, (error) => {
      if (error) reject(error);
      else resolve();
    });
  });
}

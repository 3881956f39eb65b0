/** The topics of the contract (docs/mqtt.md) and who may use them. */

const ROOT = 'linecrew/v1';

export type TerminalTopic = 'up' | 'down' | 'online';

/** `linecrew/v1/t/{terminalId}/{what}`; `terminalId` is the terminal's number without leading zeros. */
export function terminalTopic(phone: string, what: TerminalTopic): string {
  return `${ROOT}/t/${phone}/${what}`;
}

export function eventTopic(orderId: string): string {
  return `${ROOT}/events/${orderId}`;
}

export function positionTopic(vehicleId: string): string {
  return `${ROOT}/positions/${vehicleId}`;
}

/** What a topic of a terminal says; undefined for any other topic. */
export function parseTerminalTopic(topic: string): { phone: string; what: TerminalTopic } | undefined {
  const match = /^linecrew\/v1\/t\/(\d{1,20})\/(up|down|online)$/.exec(topic);
  return match ? { phone: match[1]!, what: match[2] as TerminalTopic } : undefined;
}

/** Read-only accounts see events and positions, all of them or one, and nothing else. */
export function integratorMaySubscribe(filter: string): boolean {
  return /^linecrew\/v1\/(events|positions)\/([^#+/]+|\+|#)$/.test(filter);
}

/** Whether a filter that an integrator may use covers a topic. */
export function covers(filter: string, topic: string): boolean {
  if (filter === topic) return true;
  if (!filter.endsWith('/#') && !filter.endsWith('/+')) return false;
  return topic.startsWith(filter.slice(0, -1));
}

/** Where a message goes that was taken (or refused) and must reach nobody: no filter may name such a topic. */
export const NOWHERE = '$linecrew/taken';

/** What the two sides of an external broker subscribe to. */
export const ALL_UP = `$share/linecrew/${ROOT}/t/+/up`;
export const ALL_ONLINE = `${ROOT}/t/+/online`;

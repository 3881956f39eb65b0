/** Terminals with a screen and no app: `menu` (texts and an event list), `text` (texts), `tracker` (nothing). */
import { encodeBody, truncateText } from '../../protocol/index.js';
import { lineText, orderLabels } from '../../dispatch/domain/menu.js';
import type { MenuEvent } from '../../dispatch/domain/model.js';
import type { OutgoingMessage } from '../session/link.js';
import { driverText, orderText } from './driver-text.js';
import { CannotShow, nothing, orderOf, type Render, type RenderContext, type TerminalProfile } from './profile.js';

/** Each leg once as a text. */
const orderAsText: Render = (context) => {
  const order = orderOf(context);
  const { maxTextBytes } = context.terminal.options;
  const text = orderText(order, maxTextBytes, context.vehicle.language);
  return [driverText(text, order.priority === 'urgent' ? 'urgent' : 'service', context.edition, maxTextBytes)];
};

/** Items that carry their words: recall texts, urges, messages to the driver. */
const wordsAs =
  (kind: 'urgent' | 'notice'): Render =>
  ({ item, edition, terminal }) => [
    driverText(item.text ?? '', item.urgent ? 'urgent' : kind, edition, terminal.options.maxTextBytes),
  ];

export const text: TerminalProfile = {
  order: orderAsText,
  list: nothing('list of orders'),
  recall: wordsAs('urgent'),
  urge: wordsAs('urgent'),
  notice: wordsAs('notice'),
};

export const menu: TerminalProfile = { ...text, list: eventList };

export const tracker: TerminalProfile = {
  order: nothing('orders'),
  list: nothing('list of orders'),
  recall: nothing('orders'),
  urge: nothing('texts'),
  notice: nothing('texts'),
};

const SETTING = { deleteAll: 0, replace: 1, append: 2 } as const;

/**
 * 0x8301: the list of steps. Some firmware adds to its list where the standard says replace; for these the list is
 * deleted first (`listUpdate: deleteAndAppend`).
 */
function eventList(context: RenderContext): OutgoingMessage[] {
  const items = listItems(context);
  if (items.length === 0) return [eventListMessage(context, SETTING.deleteAll)];
  if (context.terminal.options.listUpdate === 'replace') return [eventListMessage(context, SETTING.replace, items)];
  return [eventListMessage(context, SETTING.deleteAll), eventListMessage(context, SETTING.append, items)];
}

interface ListItem {
  id: number;
  content: string;
}

function eventListMessage({ edition }: RenderContext, setting: number, items?: ListItem[]): OutgoingMessage {
  return { messageId: 0x8301, body: encodeBody('eventList', edition, { setting, items }) };
}

/** Bytes of one line: its length is one byte on the wire. */
const LINE_BYTES = 255;

function listItems({ item, outbox, orders, vehicle, terminal }: RenderContext): ListItem[] {
  if (!item.list) throw new CannotShow('this list has no events: it was made for another kind of terminal');
  const table = new Map(outbox.menu.map((event) => [event.id, event]));
  const events = item.list.map((id) => table.get(id)).filter((event): event is MenuEvent => event !== undefined);
  const numberOf = (event: MenuEvent): string | undefined => event.orderId && orders.get(event.orderId)?.number;
  const labels = orderLabels([...new Set(events.map(numberOf).filter((number) => number !== undefined))]);
  const maxBytes = Math.min(LINE_BYTES, terminal.options.maxTextBytes);
  return events.map((event) => {
    const number = numberOf(event);
    const label = number === undefined ? undefined : labels.get(number);
    return { id: event.id, content: truncateText(lineText(event.step, label, vehicle.language), maxBytes) };
  });
}

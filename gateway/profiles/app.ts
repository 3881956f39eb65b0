/**
 * Terminals with an app: `smart` over JT/T 808 passthrough, `mqtt` over MQTT. Both speak terminal.proto; only what
 * carries it differs.
 */
import { encodeBody, encodeDownlink, limits, passthroughType, wrapPassthrough } from '../../protocol/index.js';
import type { DownlinkBody, OrderUpsert } from '../../protocol/index.js';
import { snapshotOf } from '../../dispatch/domain/delivery-plan.js';
import type { Order } from '../../dispatch/domain/model.js';
import type { OutgoingMessage } from '../session/link.js';
import { CannotShow, orderOf, type RenderContext, type TerminalProfile } from './profile.js';

/** "LC", version: what goes before the message in a passthrough. */
const ENVELOPE_BYTES = 3;

export const app: TerminalProfile = {
  order: (context) => send(context, upsert(context), shorterOrder),
  list: (context) => {
    const { vehicle, terminal, orders, item } = context;
    const entries = snapshotOf(vehicle, terminal, (id) => orders.get(id));
    return send(context, { kind: 'snapshot', revision: item.revision ?? vehicle.queue.revision, entries });
  },
  recall: (context) => {
    const { orderId, leg, contentVersion } = context.item;
    if (orderId === undefined || leg === undefined) throw new CannotShow('this recall names no leg');
    const revision = context.vehicle.queue.revision;
    const reason = RECALLED[context.vehicle.language];
    return send(context, { kind: 'remove', orderId, leg, contentVersion: contentVersion ?? 1, revision, reason });
  },
  urge: (context) => {
    const { orderId, leg, text } = context.item;
    if (orderId === undefined || leg === undefined) throw new CannotShow('this urge names no leg');
    return send(context, { kind: 'urge', orderId, leg, ...(text ? { text } : {}) }, shorterText);
  },
  notice: (context) => {
    const { text = '', urgent = false } = context.item;
    return send(context, { kind: 'notice', text, urgent }, shorterText);
  },
};

/** A function of the terminal, in words of terminal.proto. */
export function appFunction(context: RenderContext, body: DownlinkBody): OutgoingMessage[] {
  return send(context, body);
}

const RECALLED = { 'zh-CN': '已撤回', en: 'recalled' } as const;

/** The whole content of a leg. */
function upsert(context: RenderContext): OrderUpsert {
  const order: Order = orderOf(context);
  const { leg = 0, contentVersion = 1 } = context.item;
  const { site, customer, fault } = order;
  return {
    kind: 'orderUpsert',
    orderId: order.id,
    leg,
    contentVersion,
    number: order.number,
    address: site.address,
    lat: site.lat,
    lon: site.lon,
    customerName: customer.name,
    customerPhone: customer.phone,
    faultCategory: fault.category,
    voltage: fault.voltage,
    description: fault.description,
    priority: order.priority,
    deadlineMs: context.deadlineOf(order),
    arrivalMode: site.arrivalMode === 'automatic' ? 'automatic' : 'manual',
  };
}

/** Gives the body with `bytes` (UTF-8) less text, or undefined when nothing is left to cut. */
type Shorten = (body: DownlinkBody, bytes: number) => DownlinkBody | undefined;

/** Fields of an order in the order in which they are cut, whole fields only after the one before is gone. */
const EXPENDABLE = ['description', 'customerName', 'address'] as const;

const shorterOrder: Shorten = (body, bytes) => {
  if (body.kind !== 'orderUpsert') return undefined;
  const field = EXPENDABLE.find((name) => body[name]);
  return field && { ...body, [field]: cutUtf8(body[field]!, bytes) };
};

const shorterText: Shorten = (body, bytes) =>
  'text' in body && body.text ? { ...body, text: cutUtf8(body.text, bytes) } : undefined;

/** `text` with at least `bytes` fewer bytes in UTF-8, or empty; never cut inside a character. */
function cutUtf8(text: string, bytes: number): string {
  const characters = [...text];
  for (let cut = 0; cut < bytes && characters.length > 0;) cut += Buffer.byteLength(characters.pop()!);
  return characters.join('');
}

function send(context: RenderContext, body: DownlinkBody, shorten: Shorten = () => undefined): OutgoingMessage[] {
  const { item, now, transport, edition } = context;
  // A list must be whole; of anything else the text is cut so that it needs no sub-packages.
  const passthroughBytes = body.kind === 'snapshot' ? limits.passthroughListBytes : limits.passthroughBytes;
  const limit = transport === 'mqtt' ? limits.protobufBytes : passthroughBytes - ENVELOPE_BYTES;
  let shown: DownlinkBody = body;
  let bytes = encodeDownlink({ deliveryId: item.id, sentAtMs: now, body: shown });
  while (bytes.length > limit) {
    const shorter = shorten(shown, bytes.length - limit);
    if (!shorter) throw new CannotShow(`it has ${bytes.length} bytes; the terminal takes ${limit}`);
    shown = shorter;
    bytes = encodeDownlink({ deliveryId: item.id, sentAtMs: now, body: shown });
  }
  if (transport === 'mqtt') return [{ messageId: 0, body: bytes }];
  const content = wrapPassthrough(bytes, passthroughBytes);
  return [{ messageId: 0x8900, body: encodeBody('passthroughDown', edition, { type: passthroughType, content }) }];
}

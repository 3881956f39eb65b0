/** Texts for a driver's screen (JT/T 808, 0x8300), cut to what the terminal can show. */
import { encodeBody, encodeText, truncateText } from '../../protocol/index.js';
import type { Order, Vehicle } from '../../dispatch/domain/model.js';
import type { Edition, OutgoingMessage } from '../session/link.js';

/** What of an order is shown, and how few bytes it may be cut to before others are cut. */
interface Part {
  text: string;
  leastBytes: number;
}

const bytesOf = (text: string): number => encodeText(text).length;

/**
 * The text of an order: number, address, fault, customer's phone, at most `maxBytes` in GB18030. Where it is too long,
 * the fault is shortened first, then the address; number and phone are what a crew cannot do without. No queue position:
 * the order of the event list shows it (contract.md).
 */
export function orderText(order: Order, maxBytes: number, language: Vehicle['language']): string {
  const { number, site, fault, customer } = order;
  const parts = [
    { text: number, leastBytes: Infinity },
    { text: oneLine(site.address), leastBytes: 40 },
    {
      text: oneLine(
        [order.priority === 'urgent' ? URGENT[language] : '', fault.description || fault.category].join(''),
      ),
      leastBytes: 0,
    },
    { text: customer.phone, leastBytes: Infinity },
  ].filter(({ text }) => text !== '');
  return truncateText(fitted(parts, maxBytes).join(' '), maxBytes);
}
const URGENT: Record<Vehicle['language'], string> = { 'zh-CN': '【急】', en: '[urgent] ' };

/** Shortens the parts from the most expendable on until they fit with a space between them. */
function fitted(parts: Part[], maxBytes: number): string[] {
  const texts = parts.map(({ text }) => text);
  const expendable = parts.map((part, i) => ({ ...part, i })).filter(({ leastBytes }) => leastBytes < Infinity);
  const shrink = (at: number, least: number): void => {
    const over = total(texts) - maxBytes;
    if (over <= 0) return;
    texts[at] = truncateText(texts[at]!, Math.max(least, bytesOf(texts[at]!) - over));
  };
  const byNeed = [...expendable].sort((a, b) => a.leastBytes - b.leastBytes);
  for (const { i, leastBytes } of byNeed) shrink(i, leastBytes);
  for (const { i } of byNeed) shrink(i, 0);
  return texts.filter((text) => text !== '');
}

function total(texts: string[]): number {
  const shown = texts.filter((text) => text !== '');
  return shown.reduce((sum, text) => sum + bytesOf(text), shown.length - 1);
}

function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}

/**
 * 0x8300 with display and speech. In 2019 the category stands twice, with different numbers (reference 4.1): urgent job
 * = flags 0x0E and type 2, service = 0x0D and 2, notice = 0x0F and 1; before, urgent = 0x0D and normal = 0x0C.
 */
export function driverText(
  text: string,
  kind: 'urgent' | 'service' | 'notice',
  edition: Edition,
  maxBytes: number,
): OutgoingMessage {
  const flags =
    edition === 2019 ? { urgent: 0x0e, service: 0x0d, notice: 0x0f }[kind] : kind === 'urgent' ? 0x0d : 0x0c;
  const type = kind === 'notice' ? 1 : 2;
  return { messageId: 0x8300, body: encodeBody('text', edition, { flags, type, text: truncateText(text, maxBytes) }) };
}

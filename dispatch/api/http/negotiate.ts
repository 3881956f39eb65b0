/** Content negotiation (RFC 9110, 12.5.1). */
import { Problem } from './problem.js';

interface Range {
  type: string;
  subtype: string;
  q: number;
}

function parse(accept: string): Range[] {
  return accept.split(',').flatMap((part) => {
    const [name = '', ...parameters] = part.split(';').map((piece) => piece.trim().toLowerCase());
    const [type = '', subtype = ''] = name.split('/');
    if (!type || !subtype) return [];
    const weight = parameters.find((p) => p.startsWith('q='))?.slice(2);
    const q = weight === undefined ? 1 : Number(weight);
    return [{ type, subtype, q: Number.isFinite(q) ? q : 0 }];
  });
}

/** Weight of one media type: the most specific range that names it counts. */
function weightOf(offer: string, ranges: readonly Range[]): number {
  const [type = '', subtype = ''] = offer.split(';')[0]!.split('/');
  let best = { specificity: -1, q: 0 };
  for (const range of ranges) {
    const typeMatches = range.type === '*' || range.type === type;
    const subtypeMatches = range.subtype === '*' || range.subtype === subtype;
    if (!typeMatches || !subtypeMatches) continue;
    const specificity = (range.type === '*' ? 0 : 1) + (range.subtype === '*' ? 0 : 1);
    if (specificity > best.specificity) best = { specificity, q: range.q };
  }
  return best.q;
}

/**
 * The media type to answer with: of those offered the one the client likes best, the first where it does not say.
 * @throws {Problem} `notAcceptable` (406) when it accepts none of them
 */
export function negotiate(accept: string | undefined, offers: readonly string[]): string {
  if (accept === undefined || accept.trim() === '') return offers[0]!;
  const ranges = parse(accept);
  let chosen: string | undefined;
  let weight = 0;
  for (const offer of offers) {
    const q = weightOf(offer, ranges);
    if (q > weight) [chosen, weight] = [offer, q];
  }
  if (chosen !== undefined) return chosen;
  throw new Problem('notAcceptable', `this address gives ${offers.join(' or ')}; the request accepts "${accept}"`, {
    errors: [
      { header: 'Accept', detail: `"${accept}" matches nothing that is offered`, expected: offers.join(' or ') },
    ],
  });
}

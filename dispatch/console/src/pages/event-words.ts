/** An event of the log in words. */
import type { AlertJson, EventJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { known, t, tValue } from '../i18n/index.js';
import { alertWords } from '../ui/alert-parts.js';
import { vehicleName } from '../ui/pieces.js';

/** What the program notes for itself; a person who reads what happened does not look for it. */
const BOOKKEEPING =
  /^(outbox\.|timePoint\.claimed|order\.forecast|delivery\.(queued|acknowledged|numbered|progressed)|queue\.confirmed|terminal\.authenticated|order\.watched)/;
export const isTelling = (event: EventJson): boolean => !BOOKKEEPING.test(event.type);

interface Told {
  point?: string;
  at?: string;
  name?: string;
  stamp?: { at?: string };
  item?: { kind?: string; text?: string };
  kind?: string;
  alert?: Pick<AlertJson, 'kind' | 'message' | 'values' | 'orderId'>;
  message?: string;
}

export function describeEvent(event: EventJson): string {
  const data = event.data as Told;
  const where = event.vehicleId ? ` · ${vehicleName(event.vehicleId)}` : '';
  const [subject = '', verb = ''] = event.type.split('.', 2);
  const ofType = `event.${event.type}`;
  if (known(ofType)) return `${t(ofType)}${where}`;
  switch (subject) {
    case 'timePoint': {
      const at = data.stamp?.at ?? data.at;
      return `${data.point ?? ''} ${tValue('point', data.point)}${at ? ` ${clockTime(at)}` : ''}${where}`;
    }
    case 'order':
      return `${t('event.order')}: ${tValue('stage', verb)}`;
    case 'leg':
      return `${t('event.leg', { n: event.leg ?? '' })}: ${tValue('leg', verb)}${where}`;
    case 'segment':
      return `${data.name ?? ''} ${tValue('event.segment', verb)}`;
    case 'delivery':
      return `${tValue('deliveryKind', data.item?.kind ?? data.kind)} ${tValue('delivery', verb)}${where}`;
    case 'duty':
      return `${tValue('duty', verb)}${where}`;
    case 'alert':
      return `${t('event.alert')} ${tValue('event.alert', verb)}: ${data.alert ? alertWords(data.alert) : (data.message ?? '')}`;
    default:
      return `${event.type}${where}`;
  }
}

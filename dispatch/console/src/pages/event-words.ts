/** An event of the log in words. */
import type { EventJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { t, tValue, type Key } from '../i18n/index.js';
import { vehicleName } from '../ui/pieces.js';
import zh from '../i18n/zh-CN.json';

const has = (key: string): key is Key => key in zh;

export function describeEvent(event: EventJson): string {
  const { type, data } = event;
  const where = event.vehicleId ? ` · ${vehicleName(event.vehicleId)}` : '';
  const [subject = '', verb = ''] = type.split('.', 2);
  if (type === 'timePoint.set') {
    const point = String(data.point ?? (data.stamp as { point?: string } | undefined)?.point ?? '');
    const at = (data.at ?? (data.stamp as { at?: string } | undefined)?.at) as string | undefined;
    return `${t('event.timePoint')} ${point} ${tValue('point', point)}${at ? ` ${clockTime(at)}` : ''}${where}`;
  }
  if (subject === 'order' && has(`stage.${verb}`)) return `${t('event.order')}: ${tValue('stage', verb)}`;
  if (subject === 'leg' && has(`leg.${verb}`)) return `${t('event.leg', { n: event.leg ?? '' })}: ${tValue('leg', verb)}${where}`;
  if (subject === 'segment') return `${String(data.segment ?? data.name ?? '')} ${tValue('event.segment', verb)}`;
  if (subject === 'delivery') {
    const kind = tValue('deliveryKind', String(data.kind ?? ''));
    return `${kind} ${tValue('delivery', verb)}${where}`;
  }
  if (subject === 'duty') return `${tValue('duty', verb)}${where}`;
  if (subject === 'alert') return `${t('event.alert')} ${tValue('event.alert', verb)}: ${String(data.message ?? '')}`;
  const key = `event.${type}`;
  return `${has(key) ? t(key) : type}${where}`;
}

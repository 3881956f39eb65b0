/** Days, weekdays and half-hours as the people of a time zone count them. */

export const WEEKDAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;

/** Place of a moment in the local week: weekday 1 = Monday … 7 = Sunday; half-hours since local midnight, 0–47. */
export function localPlace(at: number, zone: string): { weekday: number; halfHour: number } {
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(at);
  const part = (type: string): string => parts.find((one) => one.type === type)!.value;
  return {
    weekday: (WEEKDAYS as readonly string[]).indexOf(part('weekday')) + 1,
    halfHour: Number(part('hour')) * 2 + (Number(part('minute')) >= 30 ? 1 : 0),
  };
}

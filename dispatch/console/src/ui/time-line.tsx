/** The time line A–H of one order: a part for each segment, as wide as its limit, filled as far as time has gone. */
import { t, tValue } from '../i18n/index.js';
import { clockTime, countdown } from '../format.js';
import type { LiveOrder } from '../state/live.js';
import { now } from '../state/clock.js';
import { PARTS, segmentNow, segmentOf, segmentTone, type Tone } from './order-time.js';

const GAP = 2;
const MARKS: Record<Tone, string> = { idle: '', good: '', warn: '!', bad: '×', done: '✓' };

interface Part {
  name: string;
  x: number;
  width: number;
  tone: Tone;
  filled: number;
  running: boolean;
  elapsedMs: number;
  limitMs: number;
}

function layOut(order: LiveOrder, at: number, width: number): Part[] {
  const shown = PARTS.map((name) => segmentOf(order, name)).filter(
    (segment) => segment !== undefined && (segment.name !== 'R' || (segment.elapsedMs ?? 0) > 0),
  );
  // The root keeps two-minute parts readable beside the 28 minutes of the drive.
  const weights = shown.map((segment) => Math.sqrt(Math.max(segment!.limitMs, 60_000)));
  const total = weights.reduce((sum, weight) => sum + weight, 0) || 1;
  const room = width - GAP * (shown.length - 1);
  let x = 0;
  return shown.map((segment, index) => {
    const partWidth = (room * weights[index]!) / total;
    const { elapsedMs } = segmentNow(segment!, order.seenAt, at);
    const tone = segmentTone(segment!, order.seenAt, at);
    const part: Part = {
      name: segment!.name,
      x,
      width: partWidth,
      tone,
      filled: tone === 'idle' ? 0 : segment!.limitMs > 0 ? Math.min(1, elapsedMs / segment!.limitMs) : 1,
      running: segment!.state === 'running',
      elapsedMs,
      limitMs: segment!.limitMs,
    };
    x += partWidth + GAP;
    return part;
  });
}

export function describeParts(order: LiveOrder, at: number): string {
  return layOut(order, at, 100)
    .filter((part) => part.tone !== 'idle')
    .map(
      (part) => `${part.name} ${countdown(part.elapsedMs)} / ${countdown(part.limitMs)} ${tValue('tone', part.tone)}`,
    )
    .join(', ');
}

/** The small line of a card. */
export function TimeLine({ order }: { order: LiveOrder }) {
  const width = 240;
  const parts = layOut(order, now.value, width);
  return (
    <svg class="time-line" viewBox={`0 0 ${width} 26`} role="img" aria-label={describeParts(order, now.value)}>
      {parts.map((part) => (
        <g key={part.name} class={`part ${part.tone} ${part.running ? 'running' : ''}`}>
          <rect class="bed" x={part.x} y={2} width={part.width} height={9} rx={2} />
          {part.filled > 0 && (
            <rect class="fill" x={part.x} y={2} width={Math.max(2, part.width * part.filled)} height={9} rx={2} />
          )}
          {part.tone === 'bad' && (
            <path class="over" d={`M${part.x + part.width - 7} 9.5l5 -6M${part.x + part.width - 11} 9.5l5 -6`} />
          )}
          <text x={part.x + part.width / 2} y={22}>
            {part.name}
            {MARKS[part.tone]}
          </text>
        </g>
      ))}
    </svg>
  );
}

/** The large one of the order's page: points with their times, sources and flags, and each part against its limit. */
export function TimeTable({ order }: { order: LiveOrder }) {
  const at = now.value;
  const parts = layOut(order, at, 100);
  return (
    <table class="time-table">
      <thead>
        <tr>
          <th scope="col">{t('time.point')}</th>
          <th scope="col">{t('time.at')}</th>
          <th scope="col">{t('time.part')}</th>
          <th scope="col" class="number">
            {t('time.took')}
          </th>
          <th scope="col" class="number">
            {t('time.limit')}
          </th>
        </tr>
      </thead>
      <tbody>
        {(['A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J'] as const).map((point) => {
          const stamp = order.timePoints[point];
          const part = parts.find((one) => one.name.length === 2 && one.name[1] === point);
          return (
            <tr key={point} class={stamp ? '' : 'empty'}>
              <th scope="row">
                <b>{point}</b> {tValue('point', point)}
              </th>
              <td>
                {stamp ? clockTime(stamp.at) : '–'}
                {stamp && <span class="muted small"> {tValue('source', stamp.source)}</span>}
                {stamp?.flags.map((flag) => (
                  <span key={flag} class="flag">
                    {tValue('flag', flag)}
                  </span>
                ))}
              </td>
              <td>
                {part && (
                  <span class={`tone ${part.tone}`}>
                    {part.name}
                    {MARKS[part.tone] && ` ${MARKS[part.tone]}`}
                  </span>
                )}
              </td>
              <td class="number">{part && part.tone !== 'idle' ? countdown(part.elapsedMs) : ''}</td>
              <td class="number">{part ? countdown(part.limitMs) : ''}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** One time bar for everything: speed, gaps, events, and where the replay is. */
import { useMemo } from 'preact/hooks';
import { clockTime } from '../../format.js';
import { t } from '../../i18n/index.js';
import { describeEvent } from '../event-words.js';
import { eventTime, pointTime, type Mode, type Recording } from './timeline-data.js';

const WIDTH = 1000;
const HEIGHT = 64;
/** Without a position for this long the track has a gap, which is shown as one. */
const GAP_MS = 120_000;
const MAX_KMH = 90;
/** Points drawn for the speed curve; a day of one-second positions is thinned to this. */
const MAX_DRAWN = 1_500;

const toneOf = (type: string): string =>
  type.startsWith('alert.') || type === 'segment.breached'
    ? 'bad'
    : type.startsWith('leg.') || type.startsWith('order.')
      ? 'main'
      : 'minor';

export function TimeBar(props: { recording: Recording; mode: Mode; at: number; onSeek(at: number): void }) {
  const { recording, mode } = props;
  const { from, to } = recording;
  const x = (at: number): number => ((at - from) / Math.max(1, to - from)) * WIDTH;
  const { curve, gaps } = useMemo(() => {
    const gapList: [number, number][] = [];
    let path = '';
    for (const points of recording.tracks.values()) {
      const every = Math.max(1, Math.ceil(points.length / MAX_DRAWN));
      let last: number | undefined;
      points.forEach((point, index) => {
        const at = pointTime(point, mode);
        const gap = last !== undefined && at - last > GAP_MS;
        if (gap) gapList.push([last!, at]);
        if (index % every === 0 || gap) {
          const y = HEIGHT - 14 - (Math.min(point.speedKmh, MAX_KMH) / MAX_KMH) * (HEIGHT - 24);
          path += `${path === '' || gap ? 'M' : 'L'}${x(at).toFixed(1)} ${y.toFixed(1)}`;
        }
        last = at;
      });
    }
    return { curve: path, gaps: gapList };
  }, [recording, mode]);
  return (
    <div class="time-bar">
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {gaps.map(([a, b], index) => (
          <rect key={index} class="gap" x={x(a)} y={0} width={Math.max(1, x(b) - x(a))} height={HEIGHT - 12} />
        ))}
        <path class="speed" d={curve} vectorEffect="non-scaling-stroke" />
        {recording.events.map((event) => {
          const place = x(eventTime(event, mode));
          if (place < 0 || place > WIDTH) return null;
          return (
            <line
              key={event.position}
              class={`tick ${toneOf(event.type)}`}
              x1={place}
              x2={place}
              y1={HEIGHT - 11}
              y2={HEIGHT}
              vectorEffect="non-scaling-stroke"
            >
              <title>{describeEvent(event)}</title>
            </line>
          );
        })}
        <line class="head" x1={x(props.at)} x2={x(props.at)} y1={0} y2={HEIGHT} vectorEffect="non-scaling-stroke" />
      </svg>
      <input
        type="range"
        min={from}
        max={to}
        step={1000}
        value={props.at}
        aria-label={t('replay.bar')}
        aria-valuetext={clockTime(props.at)}
        onInput={(event) => props.onSeek(Number(event.currentTarget.value))}
      />
      <div class="line small muted">
        <span>{clockTime(from)}</span>
        <span class="grow" />
        <span>{clockTime(to)}</span>
      </div>
    </div>
  );
}

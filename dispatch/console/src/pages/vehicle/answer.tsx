/** What a terminal or its driver answered, in words. */
import type { DeliveryJson } from '../../api/types.js';
import { clockTime, dateTime } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { plainText } from '../../ui/form-data.js';

type Answer = Record<string, unknown>;
const count = (value: unknown): number =>
  Array.isArray(value) ? value.length : Object.keys((value as object) ?? {}).length;

/** Tenths of a second: finer than a terminal's clock is read. */
const seconds = (ms: unknown): string => (Number(ms) / 1000).toFixed(1);

function Clock({ answer }: { answer: Answer }) {
  if (answer.clockOffsetMs === null) return <p class="small">{t('answer.clockUnknown')}</p>;
  const offset = seconds(answer.clockOffsetMs);
  return (
    <p class="small">
      {t('answer.clock', { s: Number(offset) > 0 ? `+${offset}` : offset, accuracy: seconds(answer.accuracyMs) })}
    </p>
  );
}

function Place({ answer }: { answer: Answer }) {
  return (
    <p class="small">
      {Number(answer.lat).toFixed(5)}, {Number(answer.lon).toFixed(5)} · {Math.round(Number(answer.speedKmh))} km/h ·{' '}
      {clockTime(answer.deviceAt as number | string | undefined)}
      {answer.fix === false && ` · ${t('answer.noFix')}`}
    </p>
  );
}

/** Fields that are named already, or say nothing to a person. */
const NOT_SHOWN = new Set(['message', 'at', 'cutFrom', 'trailing']);

function Fields({ answer }: { answer: Answer }) {
  const shown = Object.entries(answer).filter(([name, value]) => !NOT_SHOWN.has(name) && typeof value !== 'object');
  if (shown.length === 0) return null;
  return (
    <dl class="facts small">
      {shown.map(([name, value]) => (
        <>
          <dt>{tValue('attribute', name)}</dt>
          <dd>{plainText(value)}</dd>
        </>
      ))}
    </dl>
  );
}

interface Stored {
  mediaId: number;
  takenAt?: number | string;
  channel?: number;
}

export function AnswerView(props: {
  delivery: DeliveryJson;
  showParameters(): void;
  /** Asks for one of the stored photos. */
  upload(mediaId: number): void;
}) {
  const answer = props.delivery.answer;
  if (!answer) {
    const name = props.delivery.state === 'receipted' ? props.delivery.command?.name : undefined;
    const words = name === 'question' ? t('answer.waiting') : name === 'upgrade' ? t('answer.installing') : '';
    return words ? <p class="small muted">{words}</p> : null;
  }
  if (answer.answerId !== undefined) {
    return (
      <p class="driver-answer">
        {t('answer.driver')} <b>{plainText(answer.text) || plainText(answer.answerId)}</b>{' '}
        <span class="muted small">{clockTime(answer.at as string)}</span>
      </p>
    );
  }
  if (answer.message === 'upgradeResult')
    return <p class="small">{tValue('upgradeResult', plainText(answer.result))}</p>;
  if (answer.message === 'parameters') {
    return (
      <button class="link small" onClick={props.showParameters}>
        {t('answer.parameters', { n: count(answer.parameters) })}
      </button>
    );
  }
  if (answer.message === 'mediaSearchAnswer') {
    const items = (answer.items ?? []) as Stored[];
    return (
      <ul class="small">
        {items.slice(0, 20).map((one) => (
          <li key={one.mediaId} class="line">
            <span class="grow">
              #{one.mediaId} · {dateTime(one.takenAt)}
            </span>
            <button class="small-button" onClick={() => props.upload(one.mediaId)}>
              {t('answer.upload')}
            </button>
          </li>
        ))}
        {items.length === 0 && <li>{t('answer.nothingStored')}</li>}
      </ul>
    );
  }
  if (answer.message === 'shootAnswer' && answer.mediaIds) {
    return <p class="small">{t('answer.shots', { n: count(answer.mediaIds) })}</p>;
  }
  if (answer.clockOffsetMs !== undefined) return <Clock answer={answer} />;
  if (answer.lat !== undefined) return <Place answer={answer} />;
  return <Fields answer={answer} />;
}

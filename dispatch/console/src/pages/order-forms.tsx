/** Forms of single steps: call-back, merge. */
import type { LiveOrder } from '../state/live.js';
import { orders } from '../state/live.js';
import { distance } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { takeStep } from '../state/steps.js';
import { Dialog, SaveRow } from '../ui/dialog.js';
import { Empty } from '../ui/pieces.js';
import { metresBetween } from './board/nearby.js';
import { textOf } from '../ui/form-data.js';

const RESULTS = ['satisfied', 'unsatisfied', 'stillDark', 'noAnswer', 'notWanted'] as const;

export function CallBackDialog({ order, onClose }: { order: LiveOrder; onClose: () => void }) {
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const words = textOf(data, 'words');
    const result = textOf(data, 'result');
    if (await takeStep(order, 'callback', { result, ...(words ? { words } : {}) })) onClose();
  };
  return (
    <Dialog title={`${t('step.callback')} · ${order.number}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <p>
          {order.customer.name} <b>{order.customer.phone}</b>
        </p>
        <fieldset class="options">
          <legend>{t('callback.result')}</legend>
          {RESULTS.map((result, index) => (
            <label key={result}>
              <input type="radio" name="result" value={result} defaultChecked={index === 0} autofocus={index === 0} />{' '}
              {tValue('callback', result)}
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t('callback.words')}</span>
          <textarea name="words" rows={2} />
        </label>
        <SaveRow />
      </form>
    </Dialog>
  );
}

/** Open orders near this one, the nearest first, as main orders to merge into. */
export function MergeDialog({ order, onClose }: { order: LiveOrder; onClose: () => void }) {
  const near = [...orders.value.values()]
    .filter((other) => other.id !== order.id && other.stage !== 'merged')
    .map((other) => ({ other, metres: metresBetween(order.site, other.site) }))
    .sort((a, b) => a.metres - b.metres)
    .slice(0, 12);
  const merge = async (into: string): Promise<void> => {
    if (await takeStep(order, 'merge', { into })) onClose();
  };
  return (
    <Dialog wide title={`${t('step.merge')} · ${order.number}`} onClose={onClose}>
      <p class="muted">{t('merge.explain')}</p>
      {near.length === 0 && <Empty text={t('merge.none')} />}
      <ul class="candidates">
        {near.map(({ other, metres }) => (
          <li key={other.id} class="candidate">
            <div class="line">
              <b>{other.number}</b>
              <span class="pill">{tValue('stage', other.stage)}</span>
              <span class="muted">{distance(metres)}</span>
              <span class="grow" />
              <button onClick={() => void merge(other.id)}>{t('merge.into')}</button>
            </div>
            <p class="small muted">
              {other.site.address} · {other.fault.description}
            </p>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}

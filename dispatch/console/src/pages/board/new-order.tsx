/** A customer's report: the form of the agent, with open orders nearby proposed for merging. */
import { useMemo, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { post } from '../../api/client.js';
import type { OrderJson } from '../../api/types.js';
import { distance } from '../../format.js';
import { t } from '../../i18n/index.js';
import { boundsOf, type OrderMark } from '../../map/engine.js';
import { orderMarks } from '../../map/live-marks.js';
import { gatewayNow } from '../../state/clock.js';
import { centres, orders, takeOrder, vehicles, type LiveOrder } from '../../state/live.js';
import { positions } from '../../state/positions.js';
import { openOrder } from '../../state/selection.js';
import { takeStep } from '../../state/steps.js';
import { Dialog } from '../../ui/dialog.js';
import { Icon } from '../../ui/icons.js';
import { Countdown, StagePill } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { metresBetween } from './nearby.js';
import { contentOf, OrderFields, placeOf, type Place } from './order-fields.js';
import { PickMap } from './pick-map.js';
import { textOf } from '../../ui/form-data.js';

export const newOrderOpen = signal(false);
const NEAR_M = 600;
function Duplicates({
  place,
  phone,
  mergeInto,
  setMergeInto,
}: {
  place: Place | undefined;
  phone: string;
  mergeInto: string;
  setMergeInto(id: string): void;
}) {
  const near = useMemo(() => {
    const all = [...orders.value.values()].filter((order) => order.stage !== 'merged');
    return all
      .map((order) => ({ order, metres: place ? metresBetween(place, order.site) : Infinity }))
      .filter(({ order, metres }) => metres < NEAR_M || (phone.length > 6 && order.customer.phone === phone))
      .sort((a, b) => a.metres - b.metres)
      .slice(0, 4);
  }, [place, phone, orders.value]);
  if (near.length === 0) return <p class="muted small">{t('new.noDuplicates')}</p>;
  const row = (order: LiveOrder, metres: number) => (
    <label key={order.id} class="duplicate">
      <input
        type="checkbox"
        checked={mergeInto === order.id}
        onChange={(event) => setMergeInto(event.currentTarget.checked ? order.id : '')}
      />
      <span class="grow">
        <span class="line">
          <b>{order.number}</b> <StagePill order={order} /> <Countdown order={order} />
        </span>
        <span class="muted small">
          {Number.isFinite(metres) ? `${distance(metres)} · ` : `${t('new.samePhone')} · `}
          {order.site.address} · {order.fault.description}
        </span>
      </span>
    </label>
  );
  return (
    <fieldset class="duplicates">
      <legend>
        <Icon name="merge" size={14} /> {t('new.duplicates')}
      </legend>
      {near.map(({ order, metres }) => row(order, metres))}
    </fieldset>
  );
}

/** A little back, because the browser's idea of the gateway's time may be a little ahead. */
const bodyOf = (form: HTMLFormElement): Record<string, unknown> => ({
  ...contentOf(form),
  callEndedAt: new Date(gatewayNow() - 1_000).toISOString(),
});

export function NewOrder({ onClose }: { onClose: () => void }) {
  const [placeText, setPlaceText] = useState({ lat: '', lon: '' });
  const place = useMemo(() => placeOf(placeText), [placeText]);
  const [phone, setPhone] = useState('');
  const [mergeInto, setMergeInto] = useState('');
  const [busy, setBusy] = useState(false);
  const start = useMemo(
    () =>
      boundsOf([
        ...[...orders.peek().values()].map((order) => order.site),
        ...[...vehicles.peek().keys()].map((id) => positions.get(id)!).filter(Boolean),
      ]),
    [],
  );
  const mark: OrderMark[] = place
    ? [{ id: 'new', ...place, tone: 'good', left: 1, minutes: '+', urgent: false, label: t('order.new') }]
    : [];

  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const issue = (event.submitter as HTMLButtonElement | null)?.value === 'issue';
    setBusy(true);
    try {
      const order = await post<OrderJson>('/orders', bodyOf(form));
      takeOrder(order);
      say(t('new.saved', { number: order.number }));
      if (mergeInto) await takeStep(order, 'merge', { into: mergeInto });
      else if (issue) {
        const centre = textOf(new FormData(form), 'centre');
        await takeStep(order, 'issue', centre ? { repairCentreId: centre } : {});
      }
      onClose();
      openOrder(order.id);
    } catch (error) {
      sayProblem(error);
      setBusy(false);
    }
  };
  return (
    <Dialog wide class="new-order" title={t('order.new')} onClose={onClose}>
      <form class="two-columns" onSubmit={(event) => void submit(event)}>
        <div class="stack">
          <OrderFields place={placeText} setPlace={setPlaceText} onPhone={setPhone} />
          {centres.value.length > 0 && (
            <label class="field">
              <span>{t('new.centre')}</span>
              <select name="centre">
                <option value="">{t('new.centreByRule')}</option>
                {centres.value.map((centre) => (
                  <option key={centre.id} value={centre.id}>
                    {centre.name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
        <div class="stack">
          <PickMap marks={[...orderMarks.value, ...mark]} start={start} onPick={setPlaceText} />
          <Duplicates place={place} phone={phone} mergeInto={mergeInto} setMergeInto={setMergeInto} />
        </div>
        <footer class="row end">
          <button type="submit" value="save" disabled={busy} class={mergeInto ? 'primary' : ''}>
            {mergeInto ? t('new.saveMerge') : t('new.save')}
          </button>
          {!mergeInto && (
            <button type="submit" value="issue" class="primary" disabled={busy}>
              <Icon name="right" /> {t('new.saveIssue')}
            </button>
          )}
        </footer>
      </form>
    </Dialog>
  );
}

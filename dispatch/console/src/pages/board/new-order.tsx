/** A customer's report: the form of the agent, with open orders nearby proposed for merging. */
import { useMemo, useState } from 'preact/hooks';
import { signal } from '@preact/signals';
import { post } from '../../api/client.js';
import type { OrderJson } from '../../api/types.js';
import { distance } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { boundsOf, type OrderMark } from '../../map/engine.js';
import { orderMarks } from '../../map/live-marks.js';
import { MapView } from '../../map/map-view.js';
import { gatewayNow } from '../../state/clock.js';
import { centres, orders, takeOrder, vehicles, type LiveOrder } from '../../state/live.js';
import { positions } from '../../state/positions.js';
import { openOrder } from '../../state/selection.js';
import { takeStep } from '../../state/steps.js';
import { Boundary } from '../../ui/boundary.js';
import { Dialog } from '../../ui/dialog.js';
import { Icon } from '../../ui/icons.js';
import { Countdown, StagePill } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { metresBetween } from './nearby.js';
import { textOf } from '../../ui/form-data.js';

export const newOrderOpen = signal(false);
const NEAR_M = 600;
const CATEGORIES = [
  'outage',
  'lowVoltage',
  'serviceDrop',
  'meter',
  'line10kV',
  'transformer',
  'cable',
  'danger',
  'other',
];
const VOLTAGES = ['low', '10kV', 'other'];

interface Place {
  lat: number;
  lon: number;
}

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

/** The place once both coordinates are numbers on the globe. */
function placeOf(latText: string, lonText: string): Place | undefined {
  const [lat, lon] = [Number(latText), Number(lonText)];
  const valid = latText !== '' && lonText !== '' && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return valid ? { lat, lon } : undefined;
}

const number = (data: FormData, name: string): number => Number(textOf(data, name));

function bodyOf(form: HTMLFormElement): Record<string, unknown> {
  const data = new FormData(form);
  return {
    customer: { name: textOf(data, 'name'), phone: textOf(data, 'phone') },
    site: { lat: number(data, 'lat'), lon: number(data, 'lon'), address: textOf(data, 'address') },
    fault: {
      category: textOf(data, 'category'),
      voltage: textOf(data, 'voltage'),
      description: textOf(data, 'description'),
    },
    priority: data.get('urgent') ? 'urgent' : 'normal',
    // A little back, because the browser's idea of the gateway's time may be a little ahead.
    callEndedAt: new Date(gatewayNow() - 1_000).toISOString(),
    ...(textOf(data, 'area') ? { area: textOf(data, 'area') } : {}),
  };
}

export function NewOrder({ onClose }: { onClose: () => void }) {
  const [latText, setLatText] = useState('');
  const [lonText, setLonText] = useState('');
  const place = useMemo(() => placeOf(latText, lonText), [latText, lonText]);
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
          <div class="row">
            <label class="field grow">
              <span>{t('new.phone')}</span>
              <input
                name="phone"
                inputMode="tel"
                required
                autofocus
                value={phone}
                onInput={(event) => setPhone(event.currentTarget.value.trim())}
              />
            </label>
            <label class="field grow">
              <span>{t('new.name')}</span>
              <input name="name" required />
            </label>
          </div>
          <label class="field">
            <span>{t('new.address')}</span>
            <input name="address" required />
          </label>
          <div class="row">
            <label class="field grow">
              <span>{t('new.lat')}</span>
              <input
                name="lat"
                inputMode="decimal"
                required
                pattern="-?\d+(\.\d+)?"
                value={latText}
                onInput={(event) => setLatText(event.currentTarget.value.trim())}
              />
            </label>
            <label class="field grow">
              <span>{t('new.lon')}</span>
              <input
                name="lon"
                inputMode="decimal"
                required
                pattern="-?\d+(\.\d+)?"
                value={lonText}
                onInput={(event) => setLonText(event.currentTarget.value.trim())}
              />
            </label>
          </div>
          <div class="row">
            <label class="field grow">
              <span>{t('new.category')}</span>
              <select name="category">
                {CATEGORIES.map((one) => (
                  <option key={one} value={one}>
                    {tValue('category', one)}
                  </option>
                ))}
              </select>
            </label>
            <label class="field">
              <span>{t('new.voltage')}</span>
              <select name="voltage">
                {VOLTAGES.map((one) => (
                  <option key={one} value={one}>
                    {tValue('voltage', one)}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <label class="field">
            <span>{t('new.description')}</span>
            <textarea name="description" rows={2} required />
          </label>
          <div class="row">
            <label class="check">
              <input type="checkbox" name="urgent" /> <Icon name="bolt" size={14} /> {t('new.urgent')}
            </label>
            {centres.value.length > 0 && (
              <label class="field grow">
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
        </div>
        <div class="stack">
          <p class="muted small">{t('new.pickPlace')}</p>
          <div class="pick-map">
            <Boundary name="map">
              <MapView
                label={t('new.pickPlace')}
                fleet={[]}
                orders={[...orderMarks.value, ...mark]}
                lines={[]}
                start={start}
                nothing={start === undefined}
                onPoint={(lon, lat) => {
                  setLatText(lat.toFixed(6));
                  setLonText(lon.toFixed(6));
                }}
              />
            </Boundary>
          </div>
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

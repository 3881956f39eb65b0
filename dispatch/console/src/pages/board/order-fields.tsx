/** What a customer reports, as fields: for a new order and for one that is corrected. */
import type { OrderJson } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { textOf } from '../../ui/form-data.js';
import { Icon } from '../../ui/icons.js';

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

export interface Place {
  lat: number;
  lon: number;
}
/** As it is typed, or picked on the map. */
export interface PlaceText {
  lat: string;
  lon: string;
}

/** The place once both coordinates are numbers on the globe. */
export function placeOf({ lat: latText, lon: lonText }: PlaceText): Place | undefined {
  const [lat, lon] = [Number(latText), Number(lonText)];
  const valid = latText !== '' && lonText !== '' && Math.abs(lat) <= 90 && Math.abs(lon) <= 180;
  return valid ? { lat, lon } : undefined;
}

export function OrderFields(props: {
  /** The order that is corrected. */
  order?: OrderJson;
  place: PlaceText;
  setPlace(place: PlaceText): void;
  onPhone?(phone: string): void;
}) {
  const { order, place, setPlace, onPhone } = props;
  const coordinate = (name: 'lat' | 'lon') => (
    <label class="field grow">
      <span>{t(`new.${name}`)}</span>
      <input
        name={name}
        inputMode="decimal"
        required
        pattern="-?\d+(\.\d+)?"
        value={place[name]}
        onInput={(event) => setPlace({ ...place, [name]: event.currentTarget.value.trim() })}
      />
    </label>
  );
  const choice = (name: 'category' | 'voltage', values: readonly string[], current: string | undefined) => (
    <label class={`field ${name === 'category' ? 'grow' : ''}`}>
      <span>{t(`new.${name}`)}</span>
      <select name={name}>
        {[...new Set([...values, ...(current === undefined ? [] : [current])])].map((one) => (
          <option key={one} value={one} selected={one === current}>
            {tValue(name, one)}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div class="row">
        <label class="field grow">
          <span>{t('new.phone')}</span>
          <input
            name="phone"
            inputMode="tel"
            required
            autofocus
            defaultValue={order?.customer.phone ?? ''}
            onInput={(event) => onPhone?.(event.currentTarget.value.trim())}
          />
        </label>
        <label class="field grow">
          <span>{t('new.name')}</span>
          <input name="name" required defaultValue={order?.customer.name ?? ''} />
        </label>
      </div>
      <label class="field">
        <span>{t('new.address')}</span>
        <input name="address" required defaultValue={order?.site.address ?? ''} />
      </label>
      <div class="row">
        {coordinate('lat')}
        {coordinate('lon')}
      </div>
      <div class="row">
        {choice('category', CATEGORIES, order?.fault.category)}
        {choice('voltage', VOLTAGES, order?.fault.voltage)}
      </div>
      <label class="field">
        <span>{t('new.description')}</span>
        <textarea name="description" rows={2} required defaultValue={order?.fault.description ?? ''} />
      </label>
      <label class="check">
        <input type="checkbox" name="urgent" defaultChecked={order?.priority === 'urgent'} />{' '}
        <Icon name="bolt" size={14} /> {t('new.urgent')}
      </label>
    </>
  );
}

/** The part of an order that its form holds. */
export interface Content {
  customer: { name: string; phone: string };
  site: Place & { address: string };
  fault: { category: string; voltage: string; description: string };
  priority: 'normal' | 'urgent';
}

export function contentOf(form: HTMLFormElement): Content {
  const data = new FormData(form);
  return {
    customer: { name: textOf(data, 'name'), phone: textOf(data, 'phone') },
    site: { lat: Number(textOf(data, 'lat')), lon: Number(textOf(data, 'lon')), address: textOf(data, 'address') },
    fault: {
      category: textOf(data, 'category'),
      voltage: textOf(data, 'voltage'),
      description: textOf(data, 'description'),
    },
    priority: data.get('urgent') ? 'urgent' : 'normal',
  };
}

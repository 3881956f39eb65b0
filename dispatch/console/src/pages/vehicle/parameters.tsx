/** Parameters of a terminal: all that its edition has, with units, what it answered last, and new values. */
import { useMemo, useState } from 'preact/hooks';
import type { DeliveryJson, VehicleJson } from '../../api/types.js';
import { dateTime } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { ask, Dialog } from '../../ui/dialog.js';
import { plainText, textOf } from '../../ui/form-data.js';
import { useLoad } from '../../ui/load.js';
import { Empty } from '../../ui/pieces.js';
import { problemWords, sayProblem } from '../../ui/toast.js';
import { isOpen, newestFirst } from './delivery-item.js';
import { pathOf } from './path.js';

interface Parameter {
  name: string;
  id: number;
  title: string;
  type: 'u8' | 'u16' | 'u32' | 'text' | 'bytes';
  unit?: string;
  words?: Record<string, string>;
  critical: boolean;
}
interface Reading {
  value: string;
  at: string;
}

/** The newest value of each parameter among the answers that are kept. */
function readingsOf(deliveries: readonly DeliveryJson[]): Map<string, Reading> {
  const known = new Map<string, Reading>();
  const answers = deliveries.flatMap(({ answer }) =>
    answer?.message === 'parameters' ? [answer as { at: string; parameters: Record<string, unknown> }] : [],
  );
  answers.sort((a, b) => String(a.at).localeCompare(String(b.at)));
  for (const { at, parameters } of answers) {
    for (const [name, value] of Object.entries(parameters)) {
      const values = Array.isArray(value) ? value : [value];
      const words = values.map((one: unknown) =>
        typeof one === 'object' && one !== null && 'value' in one ? plainText(one.value) : plainText(one),
      );
      known.set(name, { value: words.join(', '), at });
    }
  }
  return known;
}

/** What was entered, as the API takes it: numbers as numbers. */
function changesOf(data: FormData, parameters: readonly Parameter[]): Record<string, number | string> {
  const changes: Record<string, number | string> = {};
  for (const { name, type } of parameters) {
    const text = textOf(data, name);
    if (text !== '') changes[name] = type === 'text' || type === 'bytes' ? text : Number(text);
  }
  return changes;
}

function Row(props: { parameter: Parameter; reading: Reading | undefined; hidden: boolean }) {
  const { parameter, reading, hidden } = props;
  const { name, title, unit, words, critical, type } = parameter;
  const isNumber = type !== 'text' && type !== 'bytes';
  const known = tValue('param', name);
  const label = known === name ? title : known;
  return (
    <tr data-parameter={name} hidden={hidden}>
      <th scope="row">
        {label} {critical && <span class="flag">{t('parameters.critical')}</span>}
        <span class="muted small parameter-name">{name}</span>
      </th>
      <td class="number" data-value={reading?.value}>
        {reading ? (
          <>
            {reading.value || '""'} {unit ?? ''}{' '}
            {words?.[reading.value] && <span class="muted">{words[reading.value]}</span>}
          </>
        ) : (
          <span class="muted">–</span>
        )}
      </td>
      <td>
        {words ? (
          <select name={name} aria-label={t('parameters.newOf', { name: label })}>
            <option value="">–</option>
            {Object.entries(words).map(([value, meaning]) => (
              <option key={value} value={value}>
                {value} {meaning}
              </option>
            ))}
          </select>
        ) : (
          <input
            name={name}
            aria-label={t('parameters.newOf', { name: label })}
            autocomplete="off"
            inputMode={isNumber ? 'numeric' : 'text'}
            {...(isNumber ? { pattern: '[0-9]*' } : {})}
            {...(type === 'bytes' ? { pattern: '([0-9a-fA-F]{2})*', placeholder: 'hex' } : {})}
          />
        )}
      </td>
      <td class="muted small">{unit}</td>
    </tr>
  );
}

/** Names that the terminal answered and no edition declares. */
function Others({ readings, known }: { readings: Map<string, Reading>; known: ReadonlySet<string> }) {
  const others = [...readings].filter(([name]) => !known.has(name));
  if (others.length === 0) return null;
  return (
    <details>
      <summary>{t('parameters.others', { n: others.length })}</summary>
      <dl class="facts small">
        {others.map(([name, { value }]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
      </dl>
    </details>
  );
}

/** How the newest question is going, else when values came last. */
function statusWords(newest: DeliveryJson | undefined, lastRead: string | undefined): string {
  if (newest && isOpen(newest)) return t('parameters.asking');
  if (newest && newest.state !== 'receipted') {
    return `${tValue('delivery', newest.state)} ${tValue('result', newest.result)}`;
  }
  return lastRead ? t('parameters.readAt', { at: dateTime(lastRead) }) : t('parameters.neverRead');
}

export function ParametersDialog(props: {
  vehicle: VehicleJson;
  deliveries: readonly DeliveryJson[];
  send(name: string, given: Record<string, unknown>): Promise<void>;
  onClose: () => void;
}) {
  const { vehicle, deliveries, send, onClose } = props;
  const declared = useLoad<{ items: Parameter[] }>(`${pathOf(vehicle.id)}/terminal/parameters`, vehicle.version);
  const [filter, setFilter] = useState('');
  const [problem, setProblem] = useState<string>();
  const readings = useMemo(() => readingsOf(deliveries), [deliveries]);
  const items = declared.value?.items ?? [];
  const wanted = filter.trim().toLowerCase();
  const hidden = (one: Parameter): boolean =>
    wanted !== '' && !`${one.name} ${one.title} ${tValue('param', one.name)}`.toLowerCase().includes(wanted);
  const newest = newestFirst(deliveries.filter(({ command }) => command?.name.startsWith('parameters-')))[0];
  const lastRead = [...readings.values()].map(({ at }) => at).sort().at(-1); // prettier-ignore

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const changes = changesOf(new FormData(form), items);
    const names = Object.keys(changes);
    if (names.length === 0) return setProblem(t('parameters.nothing'));
    const critical = items.filter((one) => one.critical && names.includes(one.name));
    if (critical.length > 0) {
      const text = t('parameters.cutsOff', { names: critical.map(({ name }) => tValue('param', name)).join(', ') });
      if (!(await ask({ title: t('fn.parameters-set'), text, confirm: t('do.confirm'), danger: true }))) return;
    }
    try {
      await send('parameters-set', { parameters: changes, ...(critical.length > 0 ? { confirm: true } : {}) });
      // What the terminal made of it, it says itself.
      await send('parameters-query', {});
      setProblem(undefined);
      form.reset();
    } catch (error) {
      setProblem(problemWords(error));
    }
  };
  return (
    <Dialog wide class="parameters" title={`${t('terminal.parameters')} · ${vehicle.plate}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <div class="row">
          <input
            type="search"
            class="grow"
            aria-label={t('parameters.filter')}
            placeholder={t('parameters.filter')}
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
          <button type="button" data-do="read" onClick={() => void send('parameters-query', {}).catch(sayProblem)}>
            {t('parameters.read')}
          </button>
          <span class="muted small" role="status">
            {statusWords(newest, lastRead)}
          </span>
        </div>
        {declared.problem && <Empty text={declared.problem} />}
        <div class="parameter-list" tabIndex={0} role="region" aria-label={t('terminal.parameters')}>
          <table class="data-table">
            <thead>
              <tr>
                <th scope="col">{t('parameters.name')}</th>
                <th scope="col" class="number">
                  {t('parameters.value')}
                </th>
                <th scope="col">{t('parameters.new')}</th>
                <th scope="col">{t('parameters.unit')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map((one) => (
                <Row key={one.name} parameter={one} reading={readings.get(one.name)} hidden={hidden(one)} />
              ))}
            </tbody>
          </table>
          <Others readings={readings} known={new Set(items.map(({ name }) => name))} />
        </div>
        {problem && (
          <p class="problem" role="alert">
            {problem}
          </p>
        )}
        <footer class="row end">
          <button type="submit" class="primary">
            {t('parameters.set')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

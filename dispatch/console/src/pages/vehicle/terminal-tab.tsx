/** What the terminal can be asked to do, each call with its receipt, its time and what came back. */
import { useState } from 'preact/hooks';
import { post } from '../../api/client.js';
import type { DeliveryJson, VehicleJson } from '../../api/types.js';
import { t, tValue, type Key } from '../../i18n/index.js';
import { hasRole } from '../../state/session.js';
import { ask } from '../../ui/dialog.js';
import { plainText } from '../../ui/form-data.js';
import { Icon } from '../../ui/icons.js';
import { useLoad } from '../../ui/load.js';
import { Empty } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { AnswerView } from './answer.js';
import { AskForm } from './ask-form.js';
import { DeliveryItem, newestFirst } from './delivery-item.js';
import type { FunctionLook } from './function-look.js';
import { FUNCTIONS } from './functions.js';
import { ParametersDialog } from './parameters.js';
import { pathOf } from './path.js';

interface Listed {
  edition: number;
  profile: string;
  items: { name: string; title: string; supported: boolean; reason?: string; detail?: string }[];
}
const MAX_SHOWN = 30;

/** One element of a list: a number, words, or a place and what belongs to it. */
const elementWords = (one: unknown): string =>
  typeof one === 'object' && one !== null
    ? Object.values(one).map(plainText).filter(Boolean).join(' ')
    : plainText(one);

/** What stands in a call and says nothing to a person, the file's hash, or is nobody's to read. */
const NOT_SHOWN = new Set(['file', 'authCode', 'password']);

/** Arguments of a call in one line. */
function argumentWords(delivery: DeliveryJson): string {
  const given = (delivery.command?.arguments ?? {}) as Record<string, unknown>;
  const shown = Object.entries(given).filter(([name]) => !NOT_SHOWN.has(name)).map(([, value]) =>
    Array.isArray(value) ? value.map(elementWords).join(' / ') : typeof value === 'object' && value !== null ? Object.entries(value).map(([name, one]) => `${tValue('param', name)} = ${plainText(one)}`).join(', ') : typeof value === 'string' ? value : '',
  ); // prettier-ignore
  return shown.filter(Boolean).join(' · ');
}

export function TerminalTab({ vehicle, list, again }: { vehicle: VehicleJson; list: DeliveryJson[]; again(): void }) {
  const path = `${pathOf(vehicle.id)}/terminal`;
  const known = useLoad<Listed>(`${path}/functions`, vehicle.version);
  const [form, setForm] = useState<FunctionLook>();
  const [parameters, setParameters] = useState(false);
  const listed = new Map(known.value?.items.map((one) => [one.name, one]));
  const has = (name: string): boolean => listed.get(name)?.supported === true;

  const send = async (name: string, given: Record<string, unknown>, timeoutS = '300'): Promise<void> => {
    await post(`${path}/${name}?timeoutS=${timeoutS}`, given);
    say(t('terminal.asked', { what: t(`fn.${name}` as Key) }));
    again();
  };
  const start = async (look: FunctionLook): Promise<void> => {
    if (look.arguments.length > 0) return setForm(look);
    const title = t(`fn.${look.name}` as Key);
    if (look.confirm && !(await ask({ title, text: vehicle.plate, confirm: title, danger: true }))) return;
    await send(look.name, {}).catch(sayProblem);
  };
  const offered = FUNCTIONS.filter(({ name, maintenance }) => has(name) && (!maintenance || hasRole('administrator')));
  const button = (look: FunctionLook) => (
    <button
      key={look.name}
      data-function={look.name}
      aria-expanded={look.arguments.length > 0 ? form?.name === look.name : undefined}
      class={look.confirm ? 'danger-text' : ''}
      onClick={() => void start(look)}
    >
      <Icon name={look.icon} size={16} /> {t(`fn.${look.name}` as Key)}
    </button>
  );
  const rare = offered.filter((look) => look.rare);
  const missing = known.value?.items.filter((one) => !one.supported) ?? [];
  // Upgrades name the maker as the terminal itself does.
  const maker = plainText((list.findLast((one) => one.answer?.maker !== undefined)?.answer ?? {}).maker);
  const calls = newestFirst(list.filter(({ kind }) => kind === 'command')).slice(0, MAX_SHOWN);
  return (
    <>
      <section>
        <h3>
          {t('terminal.functions')} {known.value && <span class="muted">JT/T 808-{known.value.edition}</span>}
        </h3>
        {known.problem && <Empty text={known.problem} />}
        <div class="function-grid">
          {has('parameters-query') && (
            <button data-function="parameters" onClick={() => setParameters(true)}>
              <Icon name="sliders" size={16} /> {t('terminal.parameters')}
            </button>
          )}
          {offered.filter((look) => !look.rare).map(button)}
        </div>
        {rare.length > 0 && (
          <details class="rare-functions">
            <summary>{t('terminal.rare', { n: rare.length })}</summary>
            <div class="function-grid">{rare.map(button)}</div>
          </details>
        )}
        {form && (
          <AskForm
            key={form.name}
            look={form}
            known={maker ? { maker } : {}}
            onClose={() => setForm(undefined)}
            send={(given, timeoutS) => send(form.name, given, timeoutS)}
          />
        )}
        {missing.length > 0 && (
          <details class="small missing">
            <summary>{t('terminal.missing', { n: missing.length })}</summary>
            <ul>
              {missing.map((one) => (
                <li key={one.name}>
                  {tValue('fn', one.name)} <span class="muted">{tValue('lacks', one.reason)}</span>
                </li>
              ))}
            </ul>
          </details>
        )}
      </section>
      <section>
        <h3>{t('terminal.history')}</h3>
        {calls.length === 0 && <Empty text={t('terminal.nothingAsked')} />}
        <ol class="deliveries">
          {calls.map((one) => (
            <DeliveryItem
              key={one.id}
              vehicleId={vehicle.id}
              delivery={one}
              title={tValue('fn', one.command?.name)}
              again={again}
            >
              {argumentWords(one) && <span class="small">{argumentWords(one)}</span>}
              <AnswerView
                delivery={one}
                showParameters={() => setParameters(true)}
                upload={(mediaId) => void send('media-upload-one', { mediaId }).catch(sayProblem)}
              />
            </DeliveryItem>
          ))}
        </ol>
      </section>
      {parameters && (
        <ParametersDialog vehicle={vehicle} deliveries={list} send={send} onClose={() => setParameters(false)} />
      )}
    </>
  );
}

/** Crew and managers with their phones, duty, and a text to the driver. */
import { post, Problem } from '../../api/client.js';
import type { VehicleJson } from '../../api/types.js';
import { rough } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { refreshVehicles } from '../../state/live.js';
import { positionAgeMs, positions } from '../../state/positions.js';
import { ask } from '../../ui/dialog.js';
import { plainText, textOf } from '../../ui/form-data.js';
import { Icon } from '../../ui/icons.js';
import { centreName, Phone } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { pathOf } from './path.js';

export function Message({ vehicle, sent }: { vehicle: VehicleJson; sent(): void }) {
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    try {
      await post(`${pathOf(vehicle.id)}/messages`, {
        text: textOf(data, 'text'),
        urgent: data.get('urgent') !== null,
      });
      say(t('vehicle.messageQueued'));
      form.reset();
      sent();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <section>
      <h3>{t('vehicle.message')}</h3>
      <form class="message" onSubmit={(event) => void submit(event)}>
        <textarea
          name="text"
          rows={2}
          required
          maxLength={1000}
          aria-label={t('vehicle.message')}
          placeholder={t('vehicle.messageHint')}
        />
        <div class="row">
          <label class="check">
            <input type="checkbox" name="urgent" /> {t('new.urgent')}
          </label>
          <span class="grow" />
          <button type="submit">
            <Icon name="message" size={15} /> {t('do.send')}
          </button>
        </div>
      </form>
    </section>
  );
}

async function setDuty(vehicle: VehicleJson, to: string, confirm = false): Promise<void> {
  try {
    await post(`${pathOf(vehicle.id)}/duty`, { to, ...(confirm ? { confirm } : {}) });
    say(t('duty.set', { plate: vehicle.plate, duty: tValue('duty', to) }));
    await refreshVehicles([vehicle.id]);
  } catch (error) {
    if (!confirm && error instanceof Problem && /confirm/i.test(error.code)) {
      const sure = await ask({ title: tValue('duty', to), text: error.message, confirm: t('do.confirm') });
      return sure ? setDuty(vehicle, to, true) : undefined;
    }
    sayProblem(error);
  }
}

export function Crew({ vehicle }: { vehicle: VehicleJson }) {
  const { crew, duty, terminal } = vehicle;
  const position = positions.get(vehicle.id);
  return (
    <section>
      <h3>{t('vehicle.crew')}</h3>
      <dl class="facts">
        <dt>{t('vehicle.crew')}</dt>
        <dd>
          <b>{crew.name}</b> · {tValue('trade', vehicle.trade)}
        </dd>
        {crew.members.length > 0 && (
          <>
            <dt>{t('vehicle.members')}</dt>
            <dd>
              {crew.members.map((person) => (
                <span key={person.name} class="person">
                  {person.name} <Phone number={person.phone} />
                </span>
              ))}
            </dd>
          </>
        )}
        {(crew.managers?.length ?? 0) > 0 && (
          <>
            <dt>{t('vehicle.managers')}</dt>
            <dd>
              {crew.managers!.map((person) => (
                <span key={person.name} class="person">
                  {person.name} <Phone number={person.phone} />
                </span>
              ))}
            </dd>
          </>
        )}
        <dt>{t('vehicle.centre')}</dt>
        <dd>{centreName(vehicle.repairCentreId)}</dd>
        <dt>{t('vehicle.terminal')}</dt>
        <dd>
          {terminal.phone} · {tValue('profile', plainText(terminal.profile))}
        </dd>
        {position && (
          <>
            <dt>{t('vehicle.position')}</dt>
            <dd>
              {position.lat.toFixed(5)}, {position.lon.toFixed(5)} · {Math.round(position.speedKmh)} km/h ·{' '}
              {t('link.age', { age: rough(positionAgeMs(vehicle.id) ?? 0) })}
            </dd>
          </>
        )}
      </dl>
      <div class="row" role="group" aria-label={t('vehicle.duty')}>
        {(['standby', 'onBreak', 'offDuty'] as const).map((to) => (
          <button key={to} aria-pressed={duty.state === to} onClick={() => void setDuty(vehicle, to)}>
            {tValue('duty', to)}
          </button>
        ))}
      </div>
    </section>
  );
}

/** Vehicles on file: terminal, crew, centre. */
import { useState } from 'preact/hooks';
import { patch, post, remove } from '../../api/client.js';
import type { VehicleJson } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { centres, refreshVehicles, vehicles } from '../../state/live.js';
import { ask, Dialog } from '../../ui/dialog.js';
import { centreName, LinkMark } from '../../ui/pieces.js';
import { sayProblem } from '../../ui/toast.js';
import { Choice, fieldOf, FormDialog, peopleOf, peopleText, Text } from './form.js';
import { plainText } from '../../ui/form-data.js';

const PROFILES = ['', 'smart', 'menu', 'text', 'tracker', 'mqtt'];
const TRADES = ['lowVoltage', '10kV', 'metering', 'cable'];

function Edit({
  vehicle,
  onClose,
  onSecret,
}: {
  vehicle: VehicleJson | undefined;
  onClose: () => void;
  onSecret(secret: string): void;
}) {
  const save = async (data: FormData): Promise<void> => {
    const profile = fieldOf(data, 'profile');
    const crew = {
      name: fieldOf(data, 'crew'),
      members: peopleOf(fieldOf(data, 'members')),
      managers: peopleOf(fieldOf(data, 'managers')),
    };
    const common = {
      plate: fieldOf(data, 'plate'),
      repairCentreId: fieldOf(data, 'repairCentreId'),
      trade: fieldOf(data, 'trade'),
      crew,
      sharesOffice: data.get('sharesOffice') !== null,
    };
    const phone = fieldOf(data, 'phone');
    if (vehicle) {
      await patch(`/vehicles/${encodeURIComponent(vehicle.id)}`, {
        ...common,
        terminal: { ...(phone === vehicle.terminal.phone ? {} : { phone }), ...(profile ? { profile } : {}) },
        ...(vehicle.toBeConfirmed ? { toBeConfirmed: false } : {}),
      });
      await refreshVehicles([vehicle.id]);
      return;
    }
    const id = fieldOf(data, 'id') || undefined;
    const made = await post<VehicleJson & { terminalSecret?: string }>('/vehicles', {
      ...common,
      id,
      terminal: { phone, ...(profile ? { profile } : {}) },
    });
    await refreshVehicles([made.id]);
    if (made.terminalSecret) onSecret(made.terminalSecret);
  };
  const centreOptions = centres.value.map((one) => ({ value: one.id, label: one.name }));
  const trade = vehicle?.trade ?? 'lowVoltage';
  const trades = [...new Set([...TRADES, trade])].map((one) => ({ value: one, label: tValue('trade', one) }));
  return (
    <FormDialog title={vehicle?.plate ?? t('admin.newVehicle')} onClose={onClose} save={save}>
      <div class="row">
        <Text name="plate" label={t('admin.plate')} value={vehicle?.plate ?? ''} required />
        {!vehicle && <Text name="id" label={t('admin.vehicleId')} hint={t('admin.optional')} />}
      </div>
      <div class="row">
        <Text name="phone" label={t('admin.terminalPhone')} value={vehicle?.terminal.phone ?? ''} required />
        <Choice
          name="profile"
          label={t('admin.profile')}
          value={plainText(vehicle?.terminal.statedProfile)}
          options={PROFILES.map((one) => ({ value: one, label: one ? tValue('profile', one) : t('admin.byTerminal') }))}
        />
      </div>
      <div class="row">
        <Choice
          name="repairCentreId"
          label={t('order.centre')}
          value={vehicle?.repairCentreId ?? ''}
          options={centreOptions}
        />
        <Choice name="trade" label={t('admin.trade')} value={trade} options={trades} />
      </div>
      <Text name="crew" label={t('vehicle.crew')} value={vehicle?.crew.name ?? ''} required />
      <label class="field">
        <span>{t('vehicle.members')}</span>
        <textarea name="members" rows={3} defaultValue={peopleText(vehicle?.crew.members)} />
        <span class="hint">{t('admin.peopleHint')}</span>
      </label>
      <label class="field">
        <span>{t('vehicle.managers')}</span>
        <textarea name="managers" rows={2} defaultValue={peopleText(vehicle?.crew.managers)} />
      </label>
      <label class="check">
        <input type="checkbox" name="sharesOffice" defaultChecked={vehicle?.sharesOffice ?? false} />{' '}
        {t('admin.sharesOffice')}
      </label>
    </FormDialog>
  );
}

export function VehiclesAdmin() {
  const [editing, setEditing] = useState<VehicleJson | 'new'>();
  const [secret, setSecret] = useState<string>();
  const list = [...vehicles.value.values()].sort(
    (a, b) => Number(b.toBeConfirmed ?? false) - Number(a.toBeConfirmed ?? false) || a.plate.localeCompare(b.plate),
  );
  const drop = async (vehicle: VehicleJson): Promise<void> => {
    const sure = await ask({
      title: t('admin.removeVehicle', { plate: vehicle.plate }),
      confirm: t('do.remove'),
      danger: true,
    });
    if (!sure) return;
    await remove(`/vehicles/${encodeURIComponent(vehicle.id)}`).catch(sayProblem);
    await refreshVehicles([vehicle.id]).catch(sayProblem);
  };
  return (
    <>
      <div class="row end">
        <button class="primary" onClick={() => setEditing('new')}>
          {t('admin.newVehicle')}
        </button>
      </div>
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('admin.plate')}</th>
            <th scope="col">{t('vehicle.crew')}</th>
            <th scope="col">{t('order.centre')}</th>
            <th scope="col">{t('admin.trade')}</th>
            <th scope="col">{t('vehicle.terminal')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {list.slice(0, 500).map((vehicle) => (
            <tr key={vehicle.id}>
              <td>
                <b class="plate">{vehicle.plate}</b>{' '}
                {vehicle.toBeConfirmed && <span class="pill warn">{t('admin.toBeConfirmed')}</span>}
              </td>
              <td>{vehicle.crew.name}</td>
              <td>{centreName(vehicle.repairCentreId)}</td>
              <td>{tValue('trade', vehicle.trade)}</td>
              <td>
                <span class="line">
                  <LinkMark vehicle={vehicle} /> {vehicle.terminal.phone}{' '}
                  <span class="muted">{tValue('profile', plainText(vehicle.terminal.profile))}</span>
                </span>
              </td>
              <td class="row">
                <button class="small-button" onClick={() => setEditing(vehicle)}>
                  {vehicle.toBeConfirmed ? t('do.confirm') : t('do.edit')}
                </button>
                <button class="small-button danger-text" onClick={() => void drop(vehicle)}>
                  {t('do.remove')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {editing && (
        <Edit
          vehicle={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onSecret={setSecret}
        />
      )}
      {secret && <SecretOnce secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}

/** A secret that the server shows once. */
export function SecretOnce({ secret, onClose }: { secret: string; onClose: () => void }) {
  return (
    <Dialog title={t('admin.secretOnce')} onClose={onClose}>
      <p>{t('admin.secretText')}</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
    </Dialog>
  );
}

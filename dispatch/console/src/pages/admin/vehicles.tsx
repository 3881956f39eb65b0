/** Vehicles on file: terminal, crew, centre. */
import { useState } from 'preact/hooks';
import { patch, post } from '../../api/client.js';
import type { VehicleJson } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { centres, refreshVehicles, vehicles } from '../../state/live.js';
import { Dialog } from '../../ui/dialog.js';
import { centreName, LinkMark } from '../../ui/pieces.js';
import { sayProblem } from '../../ui/toast.js';
import { Choice, fieldOf, FormDialog, peopleOf, peopleText, Text } from './form.js';
import { ItemTable } from './item-table.js';
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

/** Rows at once; whoever has more finds a vehicle by the search. */
const MAX_ROWS = 500;

export function VehiclesAdmin() {
  const [secret, setSecret] = useState<string>();
  const list = [...vehicles.value.values()].sort(
    (a, b) => Number(b.toBeConfirmed ?? false) - Number(a.toBeConfirmed ?? false) || a.plate.localeCompare(b.plate),
  );
  return (
    <>
      <ItemTable
        items={list.slice(0, MAX_ROWS)}
        keyOf={(vehicle) => vehicle.id}
        columns={[
          {
            head: t('admin.plate'),
            cell: ({ plate, toBeConfirmed }) => (
              <>
                <b class="plate">{plate}</b>{' '}
                {toBeConfirmed && <span class="pill warn">{t('admin.toBeConfirmed')}</span>}
              </>
            ),
          },
          { head: t('vehicle.crew'), cell: ({ crew }) => crew.name },
          { head: t('order.centre'), cell: ({ repairCentreId }) => centreName(repairCentreId) },
          { head: t('admin.trade'), cell: ({ trade }) => tValue('trade', trade) },
          {
            head: t('vehicle.terminal'),
            cell: (vehicle) => (
              <span class="line">
                <LinkMark vehicle={vehicle} /> {vehicle.terminal.phone}{' '}
                <span class="muted">{tValue('profile', plainText(vehicle.terminal.profile))}</span>
              </span>
            ),
          },
        ]}
        add={t('admin.newVehicle')}
        form={(vehicle, onClose) => <Edit vehicle={vehicle} onClose={onClose} onSecret={setSecret} />}
        editWords={({ toBeConfirmed }) => t(toBeConfirmed ? 'do.confirm' : 'do.edit')}
        removal={{
          question: ({ plate }) => t('admin.removeVehicle', { plate }),
          path: ({ id }) => `/vehicles/${encodeURIComponent(id)}`,
        }}
        changed={(vehicle) => {
          if (vehicle) refreshVehicles([vehicle.id]).catch(sayProblem);
        }}
      />
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

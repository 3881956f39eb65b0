/** Repair centres with their limits, units with their two managers. */
import { useState } from 'preact/hooks';
import { get, put, type PageOf } from '../../api/client.js';
import type { CentreJson } from '../../api/types.js';
import type { Unit } from '../../../../domain/model.js';
import { t, tValue } from '../../i18n/index.js';
import { useLoad } from '../../ui/load.js';
import { centreName } from '../../ui/pieces.js';
import { centres } from '../../state/live.js';
import { Choice, fieldOf, FormDialog, peopleOf, peopleText, Text } from './form.js';

const LIMITS = ['AB', 'BC', 'CD', 'DE', 'DEsameOffice', 'EF', 'FG', 'GH', 'AH'];
const SITE_CLASSES = ['town', 'country', 'remote'];
const UNIT_KINDS = ['cityStation', 'suburbanStation', 'communityStation', 'emergencySquad'];

function EditCentre({ centre, onClose }: { centre: CentreJson | undefined; onClose: () => void }) {
  const save = async (data: FormData): Promise<void> => {
    const limits = Object.fromEntries(
      LIMITS.map((name) => [name, fieldOf(data, name)] as const).filter(([, text]) => text !== '').map(([name, text]) => [name, Number(text)]),
    ); // prettier-ignore
    const siteClasses = data.getAll('siteClasses').map(String);
    const id = centre?.id ?? fieldOf(data, 'id');
    const automaticMode = data.get('automaticMode') !== null;
    await put(`/repair-centres/${encodeURIComponent(id)}`, {
      name: fieldOf(data, 'name'),
      limits,
      automaticMode,
      ...(siteClasses.length > 0 ? { siteClasses } : {}),
    });
    centres.value = (await get<PageOf<CentreJson>>('/repair-centres?limit=500')).items;
  };
  return (
    <FormDialog title={centre?.name ?? t('admin.newCentre')} onClose={onClose} save={save}>
      {!centre && <Text name="id" label={t('admin.id')} required />}
      <Text name="name" label={t('admin.name')} value={centre?.name ?? ''} required />
      <fieldset class="options row">
        <legend>{t('admin.siteClasses')}</legend>
        {SITE_CLASSES.map((one) => (
          <label key={one}>
            <input
              type="checkbox"
              name="siteClasses"
              value={one}
              defaultChecked={centre?.siteClasses?.includes(one as 'town') ?? one === 'town'}
            />{' '}
            {tValue('siteClass', one)}
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{t('admin.limits')}</legend>
        <div class="limits">
          {LIMITS.map((name) => (
            <Text
              key={name}
              name={name}
              type="number"
              label={name === 'DEsameOffice' ? t('admin.DEsameOffice') : name}
              value={String(centre?.limits?.[name] ?? '')}
            />
          ))}
        </div>
        <p class="hint">{t('admin.limitsHint')}</p>
      </fieldset>
      <label class="check">
        <input type="checkbox" name="automaticMode" defaultChecked={centre?.automaticMode ?? false} />{' '}
        {t('admin.automatic')}
      </label>
    </FormDialog>
  );
}

function EditUnit({ unit, onClose }: { unit: Unit | undefined; onClose: () => void }) {
  const save = async (data: FormData): Promise<void> => {
    const id = unit?.id ?? fieldOf(data, 'id');
    const name = fieldOf(data, 'name') || undefined;
    await put(`/units/${encodeURIComponent(id)}`, {
      kind: fieldOf(data, 'kind'),
      name,
      repairCentreId: fieldOf(data, 'repairCentreId') || undefined,
      managers: peopleOf(fieldOf(data, 'managers')),
    });
  };
  const kinds = [...new Set([...UNIT_KINDS, ...(unit ? [unit.kind] : [])])];
  return (
    <FormDialog title={unit?.name ?? unit?.id ?? t('admin.newUnit')} onClose={onClose} save={save}>
      {!unit && <Text name="id" label={t('admin.id')} required />}
      <Text name="name" label={t('admin.name')} value={unit?.name ?? ''} />
      <Choice
        name="kind"
        label={t('admin.kind')}
        value={unit?.kind ?? ''}
        options={kinds.map((one) => ({ value: one, label: tValue('unitKind', one) }))}
      />
      <Choice
        name="repairCentreId"
        label={t('order.centre')}
        value={unit?.repairCentreId ?? ''}
        options={centres.value.map((one) => ({ value: one.id, label: one.name }))}
      />
      <label class="field">
        <span>{t('admin.twoManagers')}</span>
        <textarea name="managers" rows={2} defaultValue={peopleText(unit?.managers)} />
        <span class="hint">{t('admin.peopleHint')}</span>
      </label>
    </FormDialog>
  );
}

export function CentresAndUnits() {
  const [centre, setCentre] = useState<CentreJson | 'new'>();
  const [unit, setUnit] = useState<Unit | 'new'>();
  const units = useLoad<PageOf<Unit>>('/units?limit=500');
  return (
    <>
      <div class="line">
        <h2 class="grow">{t('admin.centresOnly')}</h2>
        <button class="primary" onClick={() => setCentre('new')}>
          {t('admin.newCentre')}
        </button>
      </div>
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('admin.id')}</th>
            <th scope="col">{t('admin.name')}</th>
            <th scope="col">{t('admin.siteClasses')}</th>
            <th scope="col">{t('admin.limits')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {centres.value.map((one) => (
            <tr key={one.id}>
              <td>{one.id}</td>
              <td>
                <b>{one.name}</b> {one.automaticMode && <span class="flag">{t('admin.automaticShort')}</span>}
              </td>
              <td>{one.siteClasses?.map((siteClass) => tValue('siteClass', siteClass)).join(' · ')}</td>
              <td>
                {Object.entries(one.limits ?? {})
                  .map(([name, min]) => `${name} ${min}`)
                  .join(' · ') || t('admin.defaults')}
              </td>
              <td>
                <button class="small-button" onClick={() => setCentre(one)}>
                  {t('do.edit')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <div class="line">
        <h2 class="grow">{t('admin.units')}</h2>
        <button class="primary" onClick={() => setUnit('new')}>
          {t('admin.newUnit')}
        </button>
      </div>
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('admin.id')}</th>
            <th scope="col">{t('admin.name')}</th>
            <th scope="col">{t('admin.kind')}</th>
            <th scope="col">{t('order.centre')}</th>
            <th scope="col">{t('vehicle.managers')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {units.value?.items.map((one) => (
            <tr key={one.id}>
              <td>{one.id}</td>
              <td>{one.name}</td>
              <td>{tValue('unitKind', one.kind)}</td>
              <td>{centreName(one.repairCentreId)}</td>
              <td>{one.managers.map((person) => `${person.name} ${person.phone ?? ''}`).join(' · ')}</td>
              <td>
                <button class="small-button" onClick={() => setUnit(one)}>
                  {t('do.edit')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {centre && <EditCentre centre={centre === 'new' ? undefined : centre} onClose={() => setCentre(undefined)} />}
      {unit && (
        <EditUnit
          unit={unit === 'new' ? undefined : unit}
          onClose={() => {
            setUnit(undefined);
            units.again();
          }}
        />
      )}
    </>
  );
}

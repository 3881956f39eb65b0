/** Repair centres with their limits, units with their two managers. */
import { get, put, type PageOf } from '../../api/client.js';
import type { CentreJson } from '../../api/types.js';
import type { Unit } from '../../../../domain/model.js';
import { t, tValue } from '../../i18n/index.js';
import { useLoad } from '../../ui/load.js';
import { centreName } from '../../ui/pieces.js';
import { centres } from '../../state/live.js';
import { Choice, fieldOf, FormDialog, peopleOf, peopleText, Text } from './form.js';
import { ItemTable } from './item-table.js';

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
  const units = useLoad<PageOf<Unit>>('/units?limit=500');
  return (
    <>
      <ItemTable
        title={t('admin.centresOnly')}
        items={centres.value}
        keyOf={(one) => one.id}
        columns={[
          { head: t('admin.id'), cell: ({ id }) => id },
          {
            head: t('admin.name'),
            cell: ({ name, automaticMode }) => (
              <>
                <b>{name}</b> {automaticMode && <span class="flag">{t('admin.automaticShort')}</span>}
              </>
            ),
          },
          {
            head: t('admin.siteClasses'),
            cell: ({ siteClasses }) => siteClasses?.map((one) => tValue('siteClass', one)).join(' · '),
          },
          {
            head: t('admin.limits'),
            cell: ({ limits = {} }) =>
              Object.entries(limits)
                .map(([name, min]) => `${name} ${min}`)
                .join(' · ') || t('admin.defaults'),
          },
        ]}
        add={t('admin.newCentre')}
        form={(centre, onClose) => <EditCentre centre={centre} onClose={onClose} />}
        editWords={() => t('do.edit')}
        changed={() => undefined}
      />
      <ItemTable
        title={t('admin.units')}
        items={units.value?.items ?? []}
        problem={units.problem}
        keyOf={(one) => one.id}
        columns={[
          { head: t('admin.id'), cell: ({ id }) => id },
          { head: t('admin.name'), cell: ({ name }) => name },
          { head: t('admin.kind'), cell: ({ kind }) => tValue('unitKind', kind) },
          { head: t('order.centre'), cell: ({ repairCentreId }) => centreName(repairCentreId) },
          {
            head: t('vehicle.managers'),
            cell: ({ managers }) => managers.map((one) => `${one.name} ${one.phone ?? ''}`).join(' · '),
          },
        ]}
        add={t('admin.newUnit')}
        form={(unit, onClose) => <EditUnit unit={unit} onClose={onClose} />}
        editWords={() => t('do.edit')}
        changed={units.again}
      />
    </>
  );
}

/** Accounts: roles, repair centres, crews' vehicles. */
import { patch, post, type PageOf } from '../../api/client.js';
import type { Role } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { vehicleName } from '../../ui/pieces.js';
import { useLoad } from '../../ui/load.js';
import { FormDialog, fieldOf, listOf, Text } from './form.js';
import { ItemTable } from './item-table.js';

interface Account {
  name: string;
  fullName: string;
  roles: Role[];
  centres?: string[];
  vehicleId?: string;
  disabled: boolean;
}
const ROLES: Role[] = ['agent', 'supervisor', 'dispatcher', 'crew', 'administrator', 'integrator'];

function Edit({ account, onClose }: { account: Account | undefined; onClose: () => void }) {
  const save = async (data: FormData): Promise<void> => {
    const roles = data.getAll('roles').map(String);
    const centres = listOf(fieldOf(data, 'centres'));
    const vehicleId = fieldOf(data, 'vehicleId') || undefined;
    const password = fieldOf(data, 'password') || undefined;
    const fullName = fieldOf(data, 'fullName') || undefined;
    if (account) {
      const changes = { fullName, roles, centres: centres ?? null, vehicleId: vehicleId ?? null, password };
      await patch(`/users/${encodeURIComponent(account.name)}`, {
        ...changes,
        disabled: data.get('disabled') !== null,
      });
    } else {
      await post('/users', { name: fieldOf(data, 'name'), fullName, roles, centres, vehicleId, password });
    }
  };
  return (
    <FormDialog title={account ? account.name : t('admin.newPerson')} onClose={onClose} save={save}>
      {!account && <Text name="name" label={t('signIn.name')} required />}
      <Text name="fullName" label={t('admin.fullName')} value={account?.fullName ?? ''} />
      <fieldset class="options two">
        <legend>{t('admin.roles')}</legend>
        {ROLES.map((role) => (
          <label key={role}>
            <input type="checkbox" name="roles" value={role} defaultChecked={account?.roles.includes(role) ?? false} />{' '}
            {tValue('role', role)}
          </label>
        ))}
      </fieldset>
      <Text
        name="centres"
        label={t('admin.scope')}
        value={account?.centres?.join(', ') ?? ''}
        hint={t('admin.scopeHint')}
      />
      <Text name="vehicleId" label={t('admin.crewVehicle')} value={account?.vehicleId ?? ''} />
      <Text
        name="password"
        type="password"
        label={account ? t('admin.newPassword') : t('signIn.password')}
        required={!account}
      />
      {account && (
        <label class="check">
          <input type="checkbox" name="disabled" defaultChecked={account.disabled} /> {t('admin.disabled')}
        </label>
      )}
    </FormDialog>
  );
}

export function People() {
  const { value, problem, again } = useLoad<PageOf<Account>>('/users?limit=500');
  return (
    <ItemTable
      items={value?.items ?? []}
      problem={problem}
      keyOf={(account) => account.name}
      columns={[
        {
          head: t('signIn.name'),
          cell: ({ name, disabled }) => (
            <>
              <b>{name}</b> {disabled && <span class="flag">{t('admin.disabled')}</span>}
            </>
          ),
        },
        { head: t('admin.fullName'), cell: ({ fullName }) => fullName },
        { head: t('admin.roles'), cell: ({ roles }) => roles.map((role) => tValue('role', role)).join(' · ') },
        {
          head: t('admin.scope'),
          cell: ({ vehicleId, centres }) =>
            vehicleId ? vehicleName(vehicleId) : (centres?.join(', ') ?? t('admin.all')),
        },
      ]}
      add={t('admin.newPerson')}
      form={(account, onClose) => <Edit account={account} onClose={onClose} />}
      editWords={() => t('do.edit')}
      removal={{
        question: ({ name }) => t('admin.removePerson', { name }),
        path: ({ name }) => `/users/${encodeURIComponent(name)}`,
      }}
      isPast={({ disabled }) => disabled}
      changed={again}
    />
  );
}

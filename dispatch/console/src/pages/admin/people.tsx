/** Accounts: roles, repair centres, crews' vehicles. */
import { useState } from 'preact/hooks';
import { patch, post, remove, type PageOf } from '../../api/client.js';
import type { Role } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { vehicleName } from '../../ui/pieces.js';
import { ask } from '../../ui/dialog.js';
import { useLoad } from '../../ui/load.js';
import { sayProblem } from '../../ui/toast.js';
import { FormDialog, fieldOf, listOf, Text } from './form.js';

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
  const [editing, setEditing] = useState<Account | 'new'>();
  const drop = async (account: Account): Promise<void> => {
    const sure = await ask({
      title: t('admin.removePerson', { name: account.name }),
      confirm: t('do.remove'),
      danger: true,
    });
    if (!sure) return;
    await remove(`/users/${encodeURIComponent(account.name)}`).catch(sayProblem);
    again();
  };
  return (
    <>
      <div class="row end">
        <button class="primary" onClick={() => setEditing('new')}>
          {t('admin.newPerson')}
        </button>
      </div>
      {problem && <p class="problem">{problem}</p>}
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('signIn.name')}</th>
            <th scope="col">{t('admin.fullName')}</th>
            <th scope="col">{t('admin.roles')}</th>
            <th scope="col">{t('admin.scope')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {value?.items.map((account) => (
            <tr key={account.name} class={account.disabled ? 'past' : ''}>
              <td>
                <b>{account.name}</b> {account.disabled && <span class="flag">{t('admin.disabled')}</span>}
              </td>
              <td>{account.fullName}</td>
              <td>{account.roles.map((role) => tValue('role', role)).join(' · ')}</td>
              <td>
                {account.vehicleId ? vehicleName(account.vehicleId) : (account.centres?.join(', ') ?? t('admin.all'))}
              </td>
              <td class="row">
                <button class="small-button" onClick={() => setEditing(account)}>
                  {t('do.edit')}
                </button>
                <button class="small-button danger-text" onClick={() => void drop(account)}>
                  {t('do.remove')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {editing && (
        <Edit
          account={editing === 'new' ? undefined : editing}
          onClose={() => {
            setEditing(undefined);
            again();
          }}
        />
      )}
    </>
  );
}

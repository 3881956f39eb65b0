/** API tokens; the secret is shown once. */
import { useState } from 'preact/hooks';
import { post, remove, type PageOf } from '../../api/client.js';
import type { Role } from '../../api/types.js';
import { dateTime } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { ask } from '../../ui/dialog.js';
import { useLoad } from '../../ui/load.js';
import { sayProblem } from '../../ui/toast.js';
import { Choice, fieldOf, FormDialog, listOf, Text } from './form.js';
import { SecretOnce } from './vehicles.js';

interface Token {
  id: string;
  name: string;
  roles: Role[];
  scopes?: string[];
  centres?: string[];
  createdAt: string;
  createdBy: string;
  expiresAt?: string;
}

export function Tokens() {
  const { value, problem, again } = useLoad<PageOf<Token>>('/tokens?limit=500');
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<string>();
  const save = async (data: FormData): Promise<void> => {
    const made = await post<{ secret?: string; token?: string }>('/tokens', {
      name: fieldOf(data, 'name'),
      roles: [fieldOf(data, 'role')],
      scopes: listOf(fieldOf(data, 'scopes')),
      centres: listOf(fieldOf(data, 'centres')),
    });
    setSecret(made.secret ?? made.token);
  };
  const drop = async (token: Token): Promise<void> => {
    const sure = await ask({
      title: t('admin.removeToken', { name: token.name }),
      confirm: t('do.remove'),
      danger: true,
    });
    if (!sure) return;
    await remove(`/tokens/${encodeURIComponent(token.id)}`).catch(sayProblem);
    again();
  };
  return (
    <>
      <div class="row end">
        <button class="primary" onClick={() => setAdding(true)}>
          {t('admin.newToken')}
        </button>
      </div>
      {problem && <p class="problem">{problem}</p>}
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('admin.name')}</th>
            <th scope="col">{t('admin.roles')}</th>
            <th scope="col">{t('admin.scopes')}</th>
            <th scope="col">{t('admin.scope')}</th>
            <th scope="col">{t('admin.made')}</th>
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {value?.items.map((token) => (
            <tr key={token.id}>
              <td>
                <b>{token.name}</b>
              </td>
              <td>{token.roles.map((role) => tValue('role', role)).join(' · ')}</td>
              <td>{token.scopes?.join(', ') ?? t('admin.all')}</td>
              <td>{token.centres?.join(', ') ?? t('admin.all')}</td>
              <td>
                {dateTime(token.createdAt)} {token.createdBy}
              </td>
              <td>
                <button class="small-button danger-text" onClick={() => void drop(token)}>
                  {t('do.remove')}
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {adding && (
        <FormDialog
          title={t('admin.newToken')}
          save={save}
          onClose={() => {
            setAdding(false);
            again();
          }}
        >
          <Text name="name" label={t('admin.name')} required />
          <Choice
            name="role"
            label={t('admin.roles')}
            value="integrator"
            options={['integrator', 'agent', 'supervisor', 'dispatcher', 'administrator'].map((role) => ({
              value: role,
              label: tValue('role', role),
            }))}
          />
          <Text name="scopes" label={t('admin.scopes')} hint={t('admin.scopesHint')} />
          <Text name="centres" label={t('admin.scope')} hint={t('admin.scopeHint')} />
        </FormDialog>
      )}
      {secret && <SecretOnce secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}

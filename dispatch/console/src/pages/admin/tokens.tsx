/** API tokens; the secret is shown once. */
import { useState } from 'preact/hooks';
import { post, type PageOf } from '../../api/client.js';
import type { Role } from '../../api/types.js';
import { dateTime } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { useLoad } from '../../ui/load.js';
import { Choice, fieldOf, FormDialog, listOf, Text } from './form.js';
import { ItemTable } from './item-table.js';
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

const TOKEN_ROLES: Role[] = ['integrator', 'agent', 'supervisor', 'dispatcher', 'administrator'];

function NewToken({ onMade, onClose }: { onMade(secret: string | undefined): void; onClose: () => void }) {
  const save = async (data: FormData): Promise<void> => {
    const made = await post<{ secret?: string; token?: string }>('/tokens', {
      name: fieldOf(data, 'name'),
      roles: [fieldOf(data, 'role')],
      scopes: listOf(fieldOf(data, 'scopes')),
      centres: listOf(fieldOf(data, 'centres')),
    });
    onMade(made.secret ?? made.token);
  };
  return (
    <FormDialog title={t('admin.newToken')} save={save} onClose={onClose}>
      <Text name="name" label={t('admin.name')} required />
      <Choice
        name="role"
        label={t('admin.roles')}
        value="integrator"
        options={TOKEN_ROLES.map((role) => ({ value: role, label: tValue('role', role) }))}
      />
      <Text name="scopes" label={t('admin.scopes')} hint={t('admin.scopesHint')} />
      <Text name="centres" label={t('admin.scope')} hint={t('admin.scopeHint')} />
    </FormDialog>
  );
}

export function Tokens() {
  const { value, problem, again } = useLoad<PageOf<Token>>('/tokens?limit=500');
  const [secret, setSecret] = useState<string>();
  return (
    <>
      <ItemTable
        items={value?.items ?? []}
        problem={problem}
        keyOf={(token) => token.id}
        columns={[
          { head: t('admin.name'), cell: ({ name }) => <b>{name}</b> },
          { head: t('admin.roles'), cell: ({ roles }) => roles.map((role) => tValue('role', role)).join(' · ') },
          { head: t('admin.scopes'), cell: ({ scopes }) => scopes?.join(', ') ?? t('admin.all') },
          { head: t('admin.scope'), cell: ({ centres }) => centres?.join(', ') ?? t('admin.all') },
          { head: t('admin.made'), cell: ({ createdAt, createdBy }) => `${dateTime(createdAt)} ${createdBy}` },
        ]}
        add={t('admin.newToken')}
        form={(_token, onClose) => <NewToken onMade={setSecret} onClose={onClose} />}
        removal={{
          question: ({ name }) => t('admin.removeToken', { name }),
          path: ({ id }) => `/tokens/${encodeURIComponent(id)}`,
        }}
        changed={again}
      />
      {secret && <SecretOnce secret={secret} onClose={() => setSecret(undefined)} />}
    </>
  );
}

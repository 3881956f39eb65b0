/** Administration: people, vehicles, repair centres and units, rules, tokens, audit. */
import { t, type Key } from '../../i18n/index.js';
import { Tabs } from '../../ui/tabs.js';
import { query, setQuery } from '../../router.js';
import { Audit } from './audit.js';
import { CentresAndUnits } from './centres.js';
import { People } from './people.js';
import { RulesEditor } from './rules.js';
import { Tokens } from './tokens.js';
import { VehiclesAdmin } from './vehicles.js';

const TABS: { id: string; label: Key; view: () => preact.JSX.Element }[] = [
  { id: 'people', label: 'admin.people', view: () => <People /> },
  { id: 'vehicles', label: 'admin.vehicles', view: () => <VehiclesAdmin /> },
  { id: 'centres', label: 'admin.centres', view: () => <CentresAndUnits /> },
  { id: 'rules', label: 'admin.rules', view: () => <RulesEditor /> },
  { id: 'tokens', label: 'admin.tokens', view: () => <Tokens /> },
  { id: 'audit', label: 'admin.audit', view: () => <Audit /> },
];

export function AdminPage() {
  const chosen = TABS.find((tab) => tab.id === query.value.get('tab')) ?? TABS[0]!;
  return (
    <div class="admin-page">
      <header class="page-head">
        <h1>{t('nav.admin')}</h1>
      </header>
      <Tabs
        tabs={TABS.map(({ id, label }) => ({ name: id, label: t(label) }))}
        chosen={chosen.id}
        onChoose={(tab) => setQuery({ tab })}
      />
      <div class="admin-body" tabIndex={0} role="region" aria-label={t(chosen.label)}>
        {chosen.view()}
      </div>
    </div>
  );
}

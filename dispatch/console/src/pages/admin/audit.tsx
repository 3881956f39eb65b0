/** Who saw and did what, newest first. */
import { useState } from 'preact/hooks';
import type { PageOf } from '../../api/client.js';
import { dateTime } from '../../format.js';
import { t } from '../../i18n/index.js';
import { useLoad } from '../../ui/load.js';

interface Entry {
  at: string;
  by: string;
  action: string;
  method?: string;
  path?: string;
  status?: number;
  address?: string;
}

export function Audit() {
  const [by, setBy] = useState('');
  const { value, problem } = useLoad<PageOf<Entry>>(`/audit?limit=200${by ? `&by=${encodeURIComponent(by)}` : ''}`);
  return (
    <>
      <label class="field narrow">
        <span>{t('admin.auditBy')}</span>
        <input type="search" onChange={(event) => setBy(event.currentTarget.value.trim())} />
      </label>
      {problem && <p class="problem">{problem}</p>}
      <table class="data-table">
        <thead>
          <tr>
            <th scope="col">{t('time.at')}</th>
            <th scope="col">{t('admin.who')}</th>
            <th scope="col">{t('admin.action')}</th>
            <th scope="col">{t('admin.path')}</th>
            <th scope="col" class="number">
              {t('admin.status')}
            </th>
            <th scope="col">{t('admin.address')}</th>
          </tr>
        </thead>
        <tbody>
          {value?.items.map((entry, index) => (
            <tr key={index}>
              <td>{dateTime(entry.at)}</td>
              <td>{entry.by}</td>
              <td>{entry.action}</td>
              <td class="muted">
                {entry.method} {entry.path}
              </td>
              <td class="number">{entry.status}</td>
              <td class="muted">{entry.address}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

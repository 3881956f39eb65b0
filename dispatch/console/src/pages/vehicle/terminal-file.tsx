/** The file of an upgrade: one that the gateway keeps already, or one from this machine, which it is given first. */
import { useState } from 'preact/hooks';
import { request } from '../../api/client.js';
import { dateTime } from '../../format.js';
import { t } from '../../i18n/index.js';
import { textOf } from '../../ui/form-data.js';
import { useLoad } from '../../ui/load.js';
import type { Argument, FunctionLook } from './function-look.js';

interface TerminalFile {
  id: string;
  name: string;
  bytes: number;
  uploadedAt: string;
}

/** The field of the form in which a file from this machine is chosen. */
const chosenField = (name: string): string => `${name}.chosen`;

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} kB`;

export function TerminalFileField({ argument: { name, label } }: { argument: Argument }) {
  const kept = useLoad<{ items: TerminalFile[] }>('/terminal-files');
  const [id, setId] = useState('');
  const files = (kept.value?.items ?? []).toReversed();
  return (
    <>
      <label class="field">
        <span>{t(label)}</span>
        <select name={name} value={id} onChange={(event) => setId(event.currentTarget.value)}>
          <option value="">{t('upgrade.newFile')}</option>
          {files.map((file) => (
            <option key={file.id} value={file.id}>
              {file.name} · {kilobytes(file.bytes)} · {dateTime(file.uploadedAt)}
            </option>
          ))}
        </select>
      </label>
      {id === '' && (
        <label class="field">
          <span>{t('upgrade.chooseFile')}</span>
          <input type="file" name={chosenField(name)} required />
        </label>
      )}
    </>
  );
}

/** Gives the gateway the files that were chosen from this machine; the form then holds their ids. */
export async function keepChosenFiles(look: FunctionLook, data: FormData): Promise<void> {
  for (const { name, kind } of look.arguments) {
    const chosen = data.get(chosenField(name));
    if (kind !== 'file' || textOf(data, name) !== '' || !(chosen instanceof File)) continue;
    const path = `/terminal-files?name=${encodeURIComponent(chosen.name.slice(-100))}`;
    const { value } = await request<TerminalFile>('POST', path, { body: chosen });
    data.set(name, value.id);
  }
}

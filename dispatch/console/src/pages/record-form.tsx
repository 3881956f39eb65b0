/** The fault record: the office's dialog, and the fields that it shares with the crew's page. */
import { useState } from 'preact/hooks';
import type { OrderJson } from '../api/types.js';
import { t, tValue, type Key } from '../i18n/index.js';
import type { LiveOrder } from '../state/live.js';
import { takeStep } from '../state/steps.js';
import { Dialog, SaveRow } from '../ui/dialog.js';
import { plainText, textOf } from '../ui/form-data.js';
import { MAX_PHOTOS, orderPhoto, smaller, uploadPhotos } from '../ui/photo.js';
import { sayProblem } from '../ui/toast.js';

const TEXTS = ['cause', 'done', 'equipment', 'materials'] as const;
const OWN: ReadonlySet<string> = new Set([...TEXTS, 'powerRestoredAt', 'photos']);

/** What was filed before, in a record that is filed again. */
interface Filed {
  cause?: string;
  done?: string;
  equipment?: string;
  materials?: string;
  powerRestoredAt?: string;
  photos?: string[];
  extra?: Record<string, string>;
}
export const filedOf = (order: OrderJson): Filed => order.record ?? {};

/** `2026-11-21T08:15` of the browser's zone, as a `datetime-local` field takes it. */
function localTime(at: string | undefined): string {
  if (!at) return '';
  const time = new Date(at);
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Fields that the rules want beside the record's own. */
const extraFields = (order: OrderJson): string[] => (order.recordFields ?? []).filter((field) => !OWN.has(field));

/** The photos of a record before it is filed. */
function usePhotos(): { photos: Blob[]; add(files: FileList | null): Promise<void> } {
  const [photos, setPhotos] = useState<Blob[]>([]);
  return {
    photos,
    async add(files) {
      try {
        const made = await Promise.all([...(files ?? [])].map(smaller));
        setPhotos((before) => [...before, ...made].slice(0, MAX_PHOTOS));
      } catch (error) {
        sayProblem(error);
      }
    },
  };
}

/** What the kind of fault requires is marked, and asked for before it is sent. */
function RecordFields(props: {
  order: OrderJson;
  photos: readonly Blob[];
  addPhotos(files: FileList | null): Promise<void>;
}) {
  const { order, photos, addPhotos } = props;
  const before = filedOf(order);
  const needed = (field: string): boolean => (order.recordFields ?? ['cause', 'done']).includes(field);
  const kept = before.photos ?? [];
  const text = (field: (typeof TEXTS)[number]) => (
    <label class="field grow" key={field}>
      <span>
        {t(`record.${field}`)} {needed(field) && <b aria-hidden="true">*</b>}
      </span>
      {field === 'done' ? (
        <textarea name={field} rows={3} required={needed(field)} defaultValue={before[field] ?? ''} />
      ) : (
        <input name={field} required={needed(field)} defaultValue={before[field] ?? ''} />
      )}
    </label>
  );
  return (
    <>
      {text('cause')}
      {text('done')}
      <div class="row">
        {text('equipment')}
        {text('materials')}
      </div>
      {extraFields(order).map((field) => (
        <label class="field" key={field}>
          <span>
            {tValue('record', field)} <b aria-hidden="true">*</b>
          </span>
          <input name={`extra.${field}`} required defaultValue={before.extra?.[field] ?? ''} />
        </label>
      ))}
      <label class="field">
        <span>
          {t('record.powerRestoredAt')} {needed('powerRestoredAt') && <b aria-hidden="true">*</b>}
        </span>
        <input
          name="powerRestoredAt"
          type="datetime-local"
          required={needed('powerRestoredAt')}
          defaultValue={localTime(before.powerRestoredAt)}
        />
      </label>
      <label class="field">
        <span>
          {t('crew.photos', { n: photos.length + kept.length })} {needed('photos') && <b aria-hidden="true">*</b>}
        </span>
        <input
          type="file"
          accept="image/*"
          capture="environment"
          multiple
          required={needed('photos') && photos.length + kept.length === 0}
          onChange={(event) => void addPhotos(event.currentTarget.files)}
        />
      </label>
      {kept.length > 0 && (
        <div class="record-photos">
          {kept.map((name) => (
            <img key={name} src={orderPhoto(order.id, name)} alt={t('photos.record')} />
          ))}
        </div>
      )}
    </>
  );
}

/** The record's values; empty ones are left out. The time is read in the browser's zone. */
function recordOf(form: HTMLFormElement): Record<string, unknown> {
  const data = new FormData(form);
  const record: Record<string, unknown> = {};
  for (const name of TEXTS) {
    const value = textOf(data, name);
    if (value) record[name] = value;
  }
  const restored = textOf(data, 'powerRestoredAt');
  if (restored) record.powerRestoredAt = new Date(restored).toISOString();
  const extra = [...data.keys()].filter((name) => name.startsWith('extra.'));
  if (extra.length > 0) {
    record.extra = Object.fromEntries(extra.map((name) => [name.slice('extra.'.length), textOf(data, name)]));
  }
  return record;
}

/** The form in its dialog. `file` keeps or sends the record; true when it was taken. */
export function RecordDialog(props: {
  order: OrderJson;
  onClose: () => void;
  file(record: Record<string, unknown>, photos: readonly Blob[]): Promise<boolean>;
}) {
  const { order, onClose, file } = props;
  const { photos, add } = usePhotos();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      if (await file(recordOf(event.target as HTMLFormElement), photos)) onClose();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <Dialog title={`${t('step.record')} · ${order.number}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <RecordFields order={order} photos={photos} addPhotos={add} />
        <SaveRow />
      </form>
    </Dialog>
  );
}

/** The office sends the photos and the record at once. */
export async function fileRecord(
  order: LiveOrder,
  record: Record<string, unknown>,
  photos: readonly Blob[],
): Promise<boolean> {
  const names = await uploadPhotos(order.id, photos);
  const all = names.length > 0 ? { photos: [...(filedOf(order).photos ?? []), ...names] } : {};
  return takeStep(order, 'record', { record: { ...record, ...all } });
}

/** The record as it was filed. */
export function RecordFacts({ order }: { order: OrderJson }) {
  const filed = filedOf(order);
  if (!order.record) return null;
  const rows: [string, string | undefined][] = [
    ...TEXTS.map((name): [string, string | undefined] => [t(`record.${name}` as Key), filed[name]]),
    ...Object.entries(filed.extra ?? {}).map(([name, value]): [string, string] => [
      tValue('record', name),
      plainText(value),
    ]),
  ];
  return (
    <>
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </>
        ))}
    </>
  );
}

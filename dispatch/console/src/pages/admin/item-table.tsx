/** The one shape of administration's lists: a heading with "new", a table, and for each row what can be done with it. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { remove } from '../../api/client.js';
import { t } from '../../i18n/index.js';
import { ask } from '../../ui/dialog.js';
import { sayProblem } from '../../ui/toast.js';

export interface Column<T> {
  head: string;
  cell(item: T): ComponentChildren;
}

/** How items are taken from the file: what is asked first, and the path that is deleted. */
export interface Removal<T> {
  question(item: T): string;
  path(item: T): string;
}

export function ItemTable<T>(props: {
  title?: string;
  items: readonly T[];
  problem?: string | undefined;
  keyOf(item: T): string;
  columns: readonly Column<T>[];
  /** Words of the button that makes a new one. */
  add: string;
  /** The form of an item, or of a new one. */
  form(item: T | undefined, onClose: () => void): ComponentChildren;
  /** Absent where items are not changed: then they are only made and removed. */
  editWords?(item: T): string;
  removal?: Removal<T>;
  /** Past ones are shown so. */
  isPast?(item: T): boolean;
  /** Something was changed, or a form was left. */
  changed(item: T | undefined): void;
}) {
  const { title, items, problem, keyOf, columns, removal, editWords, changed } = props;
  const [editing, setEditing] = useState<{ item: T | undefined }>();
  const drop = async (item: T, { question, path }: Removal<T>): Promise<void> => {
    if (!(await ask({ title: question(item), confirm: t('do.remove'), danger: true }))) return;
    await remove(path(item)).catch(sayProblem);
    changed(item);
  };
  const close = (): void => {
    const item = editing?.item;
    setEditing(undefined);
    changed(item);
  };
  return (
    <>
      <div class="line">
        <h2 class="grow">{title}</h2>
        <button class="primary" onClick={() => setEditing({ item: undefined })}>
          {props.add}
        </button>
      </div>
      {problem && <p class="problem">{problem}</p>}
      <table class="data-table">
        <thead>
          <tr>
            {columns.map(({ head }) => (
              <th key={head} scope="col">
                {head}
              </th>
            ))}
            <th scope="col">{t('col.steps')}</th>
          </tr>
        </thead>
        <tbody>
          {items.map((item) => (
            <tr key={keyOf(item)} class={props.isPast?.(item) ? 'past' : ''} data-item={keyOf(item)}>
              {columns.map(({ head, cell }) => (
                <td key={head}>{cell(item)}</td>
              ))}
              <td class="row">
                {editWords && (
                  <button class="small-button" onClick={() => setEditing({ item })}>
                    {editWords(item)}
                  </button>
                )}
                {removal && (
                  <button class="small-button danger-text" onClick={() => void drop(item, removal)}>
                    {t('do.remove')}
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {editing && props.form(editing.item, close)}
    </>
  );
}

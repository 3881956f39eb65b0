/** What the forms of administration share: reading fields, saving, lists of values. */
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { t } from '../../i18n/index.js';
import { Dialog, SaveRow } from '../../ui/dialog.js';
import { problemWords, say } from '../../ui/toast.js';

export { textOf as fieldOf } from '../../ui/form-data.js';
/** `a, b c` → `['a', 'b c']`; empty → undefined. */
export function listOf(text: string): string[] | undefined {
  const list = text.split(/[,，\n]/).map((part) => part.trim()).filter(Boolean); // prettier-ignore
  return list.length > 0 ? list : undefined;
}
/** One person a line: `name phone`. */
export function peopleOf(text: string): { name: string; phone?: string }[] {
  return text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => {
    const match = /^(.*?)[\s,，]+([+\d][\d -]*)$/.exec(line);
    return match ? { name: match[1]!, phone: match[2]! } : { name: line };
  }); // prettier-ignore
}
export const peopleText = (people: readonly { name: string; phone?: string }[] = []): string =>
  people.map((person) => [person.name, person.phone].filter(Boolean).join(' ')).join('\n');

export function Text(props: {
  name: string;
  label: string;
  value?: string;
  required?: boolean;
  type?: 'text' | 'password' | 'number';
  hint?: string;
  disabled?: boolean;
}) {
  const { name, label, value = '', required = false, type = 'text', hint, disabled = false } = props;
  const field = { name, defaultValue: value, required, disabled };
  return (
    <label class="field">
      <span>{label}</span>
      {type === 'number' && <input {...field} type="number" step="any" />}
      {type === 'password' && <input {...field} type="password" autocomplete="new-password" />}
      {type === 'text' && <input {...field} type="text" autocomplete="off" />}
      {hint && <span class="hint">{hint}</span>}
    </label>
  );
}

export function Choice(props: {
  name: string;
  label: string;
  value?: string;
  options: { value: string; label: string }[];
}) {
  return (
    <label class="field">
      <span>{props.label}</span>
      <select name={props.name}>
        {props.options.map((option) => (
          <option key={option.value} value={option.value} selected={option.value === props.value}>
            {option.label}
          </option>
        ))}
      </select>
    </label>
  );
}

/** A dialog with a form; what `save` throws is shown in it, and nothing that was typed is lost. */
export function FormDialog(props: {
  title: string;
  onClose: () => void;
  save(data: FormData): Promise<void>;
  children: ComponentChildren;
}) {
  const [problem, setProblem] = useState<string>();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    try {
      await props.save(new FormData(event.target as HTMLFormElement));
      say(t('admin.saved'));
      props.onClose();
    } catch (error) {
      setProblem(problemWords(error));
    }
  };
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        {props.children}
        <SaveRow problem={problem} onCancel={props.onClose} />
      </form>
    </Dialog>
  );
}

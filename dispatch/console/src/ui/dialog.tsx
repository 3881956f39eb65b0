/** A modal dialog on the native element: focus stays inside, Escape closes. */
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { signal } from '@preact/signals';
import { t } from '../i18n/index.js';
import { textOf } from './form-data.js';
import { Icon } from './icons.js';

export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  wide?: boolean;
  class?: string;
}) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const element = ref.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${props.wide ? 'wide' : ''} ${props.class ?? ''}`}
      aria-label={props.title}
      onCancel={(event) => {
        event.preventDefault();
        props.onClose();
      }}
    >
      <header>
        <h2>{props.title}</h2>
        <button class="icon-only quiet" aria-label={t('do.close')} onClick={props.onClose}>
          <Icon name="close" />
        </button>
      </header>
      {props.children}
    </dialog>
  );
}

/** The end of a form in a dialog: what was refused, in words, and the way to save or to leave. */
export function SaveRow({ problem, onCancel }: { problem?: string | undefined; onCancel?: () => void }) {
  return (
    <>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <footer class="row end">
        {onCancel && (
          <button type="button" onClick={onCancel}>
            {t('do.cancel')}
          </button>
        )}
        <button type="submit" class="primary">
          {t('do.save')}
        </button>
      </footer>
    </>
  );
}

interface Question {
  title: string;
  text?: string;
  /** Label of a text field; asked for only when given. */
  field?: string;
  required?: boolean;
  options?: { value: string; label: string }[];
  confirm: string;
  danger?: boolean;
  answer(result: { text: string; option: string } | undefined): void;
}
const question = signal<Question | undefined>(undefined);

/** Asks for a confirmation, a reason, or a choice. Resolves to undefined when it was closed. */
export function ask(asked: Omit<Question, 'answer'>): Promise<{ text: string; option: string } | undefined> {
  return new Promise((resolve) => {
    question.value = {
      ...asked,
      answer: (result) => {
        question.value = undefined;
        resolve(result);
      },
    };
  });
}

export function QuestionDialog() {
  const asked = question.value;
  if (!asked) return null;
  const submit = (event: Event): void => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    asked.answer({ text: textOf(data, 'text'), option: textOf(data, 'option') });
  };
  return (
    <Dialog title={asked.title} onClose={() => asked.answer(undefined)}>
      <form class="stack" onSubmit={submit}>
        {asked.text && <p>{asked.text}</p>}
        {asked.options && (
          <fieldset class="options">
            <legend class="visually-hidden">{asked.title}</legend>
            {asked.options.map((option, index) => (
              <label key={option.value}>
                <input
                  type="radio"
                  name="option"
                  value={option.value}
                  defaultChecked={index === 0}
                  autofocus={index === 0 && !asked.field}
                />{' '}
                {option.label}
              </label>
            ))}
          </fieldset>
        )}
        {asked.field && (
          <label class="field">
            <span>{asked.field}</span>
            <textarea name="text" rows={3} required={asked.required ?? false} autofocus />
          </label>
        )}
        <footer class="row end">
          <button type="button" onClick={() => asked.answer(undefined)}>
            {t('do.cancel')}
          </button>
          <button type="submit" class={asked.danger ? 'danger' : 'primary'} autofocus={!asked.field && !asked.options}>
            {asked.confirm}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

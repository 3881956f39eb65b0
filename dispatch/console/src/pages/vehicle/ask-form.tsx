/** The form of one function of a terminal. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { t, tValue, type Key } from '../../i18n/index.js';
import { problemWords } from '../../ui/toast.js';
import type { Argument, FunctionLook } from './function-look.js';
import { argumentsOf } from './functions.js';
import { keepChosenFiles, TerminalFileField } from './terminal-file.js';

/** Seconds after which it is not tried any more. */
const TIMEOUTS_S = ['60', '300', '3600', '86400'];

function Field({ argument }: { argument: Argument }) {
  const { name, kind, label, required = false, value = '', options = [], words = '' } = argument;
  if (kind === 'check') {
    return (
      <label class="check">
        <input type="checkbox" name={name} defaultChecked={value === 'on'} required={required} /> {t(label)}
      </label>
    );
  }
  if (kind === 'file') return <TerminalFileField argument={argument} />;
  return (
    <label class="field">
      <span>{t(label)}</span>
      {kind === 'choice' && (
        <select name={name}>
          {options.map((one) => (
            <option key={one} value={one} selected={one === value}>
              {tValue(words, one)}
            </option>
          ))}
        </select>
      )}
      {kind === 'number' && (
        <input
          name={name}
          type="number"
          min={argument.min}
          max={argument.max}
          defaultValue={value}
          required={required || value !== ''}
        />
      )}
      {kind === 'text' && <input name={name} autocomplete="off" defaultValue={value} required={required} />}
      {kind === 'clock' && <input name={name} type="time" step={1} />}
      {kind === 'time' && <input name={name} type="datetime-local" />}
      {(kind === 'long' || kind === 'lines') && (
        <textarea name={name} rows={kind === 'lines' ? 3 : 2} required={required} />
      )}
    </label>
  );
}

/** `send` gets the arguments and the seconds; what it throws is shown here, and nothing that was entered is lost. */
export function AskForm(props: {
  look: FunctionLook;
  /** What is known of the terminal already, by argument. */
  known?: Readonly<Record<string, string>>;
  onClose: () => void;
  send(given: Record<string, unknown>, timeoutS: string): Promise<void>;
}) {
  const { look, known = {}, onClose } = props;
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const ref = useRef<HTMLFormElement>(null);
  useEffect(() => {
    ref.current?.scrollIntoView({ block: 'nearest' });
    ref.current?.querySelector<HTMLElement>('input, select, textarea')?.focus();
  }, []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    setSending(true);
    try {
      await keepChosenFiles(look, data);
      const timeoutS = data.get('timeoutS');
      await props.send(argumentsOf(look, data), typeof timeoutS === 'string' ? timeoutS : '300');
      onClose();
    } catch (error) {
      setProblem(problemWords(error));
      setSending(false);
    }
  };
  return (
    <form ref={ref} class="ask-form stack" data-form={look.name} onSubmit={(event) => void submit(event)}>
      <h4>{t(`fn.${look.name}` as Key)}</h4>
      <div class="ask-fields">
        {look.arguments.map((argument) => (
          <Field key={argument.name} argument={{ ...argument, value: known[argument.name] ?? argument.value }} />
        ))}
        <label class="field">
          <span>{t('terminal.timeout')}</span>
          <select name="timeoutS">
            {TIMEOUTS_S.map((one) => (
              <option key={one} value={one} selected={one === (look.timeoutS ?? '300')}>
                {tValue('timeout', one)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row end">
        <button type="button" onClick={onClose}>
          {t('do.cancel')}
        </button>
        <button type="submit" class={look.confirm ? 'danger' : 'primary'} disabled={sending}>
          {t('do.send')}
        </button>
      </div>
    </form>
  );
}

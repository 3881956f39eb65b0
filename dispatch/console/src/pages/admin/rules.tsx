/** The rules of the store as JSON: who repairs what, required fields, trades by category. The server validates them. */
import { useEffect, useState } from 'preact/hooks';
import { put } from '../../api/client.js';
import { t } from '../../i18n/index.js';
import { useLoad } from '../../ui/load.js';
import { Problem } from '../../ui/pieces.js';
import { problemWords, say } from '../../ui/toast.js';

export function RulesEditor() {
  const { value, problem: notLoaded, again } = useLoad<Record<string, unknown>>('/rules');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    if (!value) return;
    const { version: _version, ...rules } = value;
    setText(JSON.stringify(rules, null, 2));
  }, [value]);
  const save = async (): Promise<void> => {
    setProblem(undefined);
    let rules: unknown;
    try {
      rules = JSON.parse(text);
    } catch (error) {
      setProblem(t('admin.notJson', { why: (error as Error).message }));
      return;
    }
    try {
      await put('/rules', rules);
      say(t('admin.saved'));
      again();
    } catch (error) {
      setProblem(problemWords(error));
    }
  };
  return (
    <div class="stack">
      <p class="muted">{t('admin.rulesText')}</p>
      {notLoaded && <Problem words={notLoaded} again={again} />}
      <label class="field">
        <span>{t('admin.rules')}</span>
        <textarea
          class="code"
          rows={22}
          spellcheck={false}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="row end">
        <button onClick={again}>{t('admin.discard')}</button>
        <button class="primary" disabled={!value} onClick={() => void save()}>
          {t('do.save')}
        </button>
      </div>
    </div>
  );
}

/** Sign-in: a name and a password; the session is a cookie that scripts cannot read. */
import { useState } from 'preact/hooks';
import { Problem } from '../api/client.js';
import { language, setLanguage, t } from '../i18n/index.js';
import { location, navigate, query } from '../router.js';
import { signIn } from '../state/session.js';
import { Icon } from '../ui/icons.js';
import { problemWords } from '../ui/toast.js';
import { textOf } from '../ui/form-data.js';

export function SignIn() {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    setBusy(true);
    setProblem(undefined);
    try {
      const to = location.value.path === '/sign-in' ? (query.value.get('to') ?? '/') : undefined;
      await signIn(textOf(data, 'name'), data.get('password') as string);
      if (to) navigate(to.startsWith('/') && !to.startsWith('//') ? to : '/', true);
    } catch (error) {
      setProblem(error instanceof Problem && error.status === 401 ? t('signIn.wrong') : problemWords(error));
      setBusy(false);
    }
  };
  return (
    <main class="sign-in">
      <form onSubmit={(event) => void submit(event)} aria-label={t('signIn.title')}>
        <div class="brand">
          <img src="/icon.svg" alt="" width={44} height={44} />
          <div>
            <h1>Linecrew</h1>
            <p>{t('app.subtitle')}</p>
          </div>
        </div>
        <label class="field">
          <span>{t('signIn.name')}</span>
          <input name="name" autocomplete="username" required autofocus />
        </label>
        <label class="field">
          <span>{t('signIn.password')}</span>
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {problem && (
          <p class="problem" role="alert">
            <Icon name="alert" size={16} /> {problem}
          </p>
        )}
        <button class="primary" type="submit" disabled={busy}>
          {t('signIn.do')}
        </button>
        <button
          class="quiet"
          type="button"
          onClick={() => setLanguage(language.value === 'en' ? 'zh-CN' : 'en')}
          lang={language.value === 'en' ? 'zh-CN' : 'en'}
        >
          {language.value === 'en' ? '中文' : 'English'}
        </button>
      </form>
    </main>
  );
}

/** The person who is signed in, and what they set for themselves. */
import { useRef } from 'preact/hooks';
import { language, setLanguage, t, tValue } from '../i18n/index.js';
import { sound, theme } from '../state/prefs.js';
import { me, signOut } from '../state/session.js';
import { Icon } from '../ui/icons.js';
import { keyHelpOpen } from './key-help.js';

export function UserMenu() {
  const ref = useRef<HTMLDetailsElement>(null);
  const person = me.value;
  if (!person) return null;
  const close = (): void => void (ref.current && (ref.current.open = false));
  return (
    <details
      class="menu"
      ref={ref}
      onKeyDown={(event) => event.key === 'Escape' && close()}
      onFocusOut={(event) => {
        if (event.relatedTarget && !ref.current?.contains(event.relatedTarget as Node)) close();
      }}
    >
      <summary>
        <Icon name="user" />
        <span>{person.fullName ?? person.name}</span>
      </summary>
      <div class="menu-body">
        <p class="muted small">{person.roles.map((role) => tValue('role', role)).join(' · ')}</p>
        <label class="field">
          <span>{t('menu.language')}</span>
          <select
            value={language.value}
            onChange={(event) => setLanguage(event.currentTarget.value === 'en' ? 'en' : 'zh-CN')}
          >
            <option value="zh-CN">中文</option>
            <option value="en">English</option>
          </select>
        </label>
        <label class="field">
          <span>{t('menu.theme')}</span>
          <select
            value={theme.value}
            onChange={(event) => (theme.value = event.currentTarget.value as typeof theme.value)}
          >
            <option value="auto">{t('theme.auto')}</option>
            <option value="light">{t('theme.light')}</option>
            <option value="dark">{t('theme.dark')}</option>
          </select>
        </label>
        <button onClick={() => (sound.value = sound.value === 'on' ? 'off' : 'on')} aria-pressed={sound.value === 'on'}>
          <Icon name={sound.value === 'on' ? 'sound' : 'mute'} />{' '}
          {t(sound.value === 'on' ? 'menu.soundOn' : 'menu.soundOff')}
        </button>
        <button onClick={() => ((keyHelpOpen.value = true), close())}>
          <Icon name="keyboard" /> {t('menu.keys')}
        </button>
        <button onClick={() => void signOut()}>
          <Icon name="out" /> {t('menu.signOut')}
        </button>
      </div>
    </details>
  );
}

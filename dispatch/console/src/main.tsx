import { render } from 'preact';
import { App } from './app.js';
import { language } from './i18n/index.js';
import { interceptLinks } from './router.js';
import { loadConfig, loadSession } from './state/session.js';
import './state/prefs.js';

document.documentElement.lang = language.value;
interceptLinks();
void loadConfig();
void loadSession();
render(<App />, document.getElementById('app')!);
if ('serviceWorker' in navigator && import.meta.env.PROD) {
  navigator.serviceWorker.register('/crew-worker.js').catch(() => undefined);
}

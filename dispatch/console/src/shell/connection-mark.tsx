/** Whether what is shown is live, and since when it is not. */
import { signal } from '@preact/signals';
import { rough, shortTime } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { connection, lastHeardAt } from '../state/connection.js';
import { loaded, loadProblem } from '../state/live.js';
import { Icon } from '../ui/icons.js';

const machineNow = signal(Date.now());
setInterval(() => (machineNow.value = Date.now()), 1000);

export function ConnectionMark() {
  const { state } = connection.value;
  return (
    <span class={`connection connection-${state}`} role="status">
      <i aria-hidden="true" />
      {tValue('connection', state)}
    </span>
  );
}

/** Over the whole width while the line is down: nothing below it is live. */
export function StaleBanner() {
  const { state } = connection.value;
  if (state === 'stale') {
    return (
      <div class="banner bad" role="alert">
        <Icon name="alert" />{' '}
        {t('connection.staleSince', {
          at: shortTime(lastHeardAt.value),
          age: rough(machineNow.value - lastHeardAt.value),
        })}
      </div>
    );
  }
  if (loadProblem.value && !loaded.value) {
    return (
      <div class="banner bad" role="alert">
        <Icon name="alert" /> {t('connection.loadFailed', { why: loadProblem.value })}
      </div>
    );
  }
  return null;
}

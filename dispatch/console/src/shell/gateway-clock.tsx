/** The gateway's time in the depot's zone; a clock that runs fast says so. */
import { clockTime, zoneName } from '../format.js';
import { t } from '../i18n/index.js';
import { clockRate, now } from '../state/clock.js';

export function GatewayClock() {
  return (
    <span class="gateway-clock">
      <time>{clockTime(now.value)}</time>
      <span class="muted small">{zoneName.value}</span>
      {clockRate.value !== 1 && (
        <span class="rate" title={t('clock.fast', { rate: clockRate.value })}>
          ×{clockRate.value}
        </span>
      )}
    </span>
  );
}

/**
 * Gateway time in the browser. The gateway's clock may run faster than the machine's (LINECREW_CLOCK_RATE) and the
 * browser's may be wrong, so countdowns use the last time that the server stated, moved on at the server's rate.
 */
import { signal } from '@preact/signals';

let statedAt = Date.now();
let heardAt = performance.now();
export const clockRate = signal(1);

/** ms UTC of gateway time. */
export function gatewayNow(): number {
  return statedAt + (performance.now() - heardAt) * clockRate.value;
}

/** Takes a time that the server stated as its present. */
export function setGatewayTime(at: number, rate: number): void {
  statedAt = at;
  heardAt = performance.now();
  clockRate.value = rate;
  now.value = at;
}

/** Gateway time, renewed once a second (of the machine's time). */
export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = gatewayNow();
}, 1000);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) now.value = gatewayNow();
});

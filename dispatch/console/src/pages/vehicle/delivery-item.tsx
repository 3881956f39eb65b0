/** One thing that was sent to a terminal: how it went, what came back, and sending it once more. */
import type { ComponentChildren } from 'preact';
import { post } from '../../api/client.js';
import type { DeliveryJson } from '../../api/types.js';
import { clockTime, rough } from '../../format.js';
import { t, tValue } from '../../i18n/index.js';
import { now } from '../../state/clock.js';
import { orders } from '../../state/live.js';
import { openOrder } from '../../state/selection.js';
import { Icon } from '../../ui/icons.js';
import { say, sayProblem } from '../../ui/toast.js';
import { pathOf } from './path.js';

const OPEN: ReadonlySet<string> = new Set(['queued', 'inFlight', 'unanswered']);
export const isOpen = (delivery: DeliveryJson): boolean => OPEN.has(delivery.state);

/** What waits first and in its order, then the newest of what has ended. */
export function newestFirst(list: readonly DeliveryJson[]): DeliveryJson[] {
  return [...list.filter(isOpen), ...list.filter((one) => !isOpen(one)).reverse()];
}

async function act(work: () => Promise<unknown>, done: () => void, words?: string): Promise<void> {
  try {
    await work();
    if (words) say(words);
    done();
  } catch (error) {
    sayProblem(error);
  }
}

/** A text or a question to the terminal can be sent once more as it was; orders and lists the gateway sends itself. */
function sendAgain(
  vehicleId: string,
  { kind, text, command, urgent }: DeliveryJson,
): (() => Promise<unknown>) | undefined {
  if (kind === 'notice' && text) return () => post(`${pathOf(vehicleId)}/messages`, { text, urgent: urgent === true });
  if (kind === 'command' && command) {
    return () => post(`${pathOf(vehicleId)}/terminal/${encodeURIComponent(command.name)}`, command.arguments ?? {});
  }
  return undefined;
}

function Facts({ delivery }: { delivery: DeliveryJson }) {
  const { attempts, result, nextAt, expiresAt, endedAt, createdBy } = delivery;
  const open = isOpen(delivery);
  const left = expiresAt === undefined ? undefined : Date.parse(expiresAt) - now.value;
  const parts = [
    createdBy,
    t('delivery.attempts', { n: attempts.length }) + attempts.slice(-4).map((one) => ` ${clockTime(one.at)}`).join(''),
    !open && endedAt ? `${tValue('delivery', delivery.state)} ${clockTime(endedAt)}` : '',
    result && result !== 'ok' ? tValue('result', result) : '',
    open && nextAt ? t('delivery.next', { at: clockTime(nextAt) }) : '',
    open && left !== undefined ? t('delivery.givenUpIn', { left: rough(left) }) : '',
  ]; // prettier-ignore
  return <span class="muted small">{parts.filter(Boolean).join(' · ')}</span>;
}

function Progress({ of: { done, of } }: { of: { done: number; of: number } }) {
  return (
    <span class="line small delivery-progress">
      <progress max={of} value={done} aria-label={t('delivery.progressLabel')} />
      {t('delivery.progress', { percent: Math.floor((done / of) * 100), done, of })}
    </span>
  );
}

export function DeliveryItem(props: {
  vehicleId: string;
  delivery: DeliveryJson;
  title: string;
  again(): void;
  children?: ComponentChildren;
}) {
  const { vehicleId, delivery, title, again, children } = props;
  const repeat = sendAgain(vehicleId, delivery);
  const { orderId } = delivery;
  return (
    <li class={isOpen(delivery) ? 'open' : 'past'} data-delivery={delivery.id} data-state={delivery.state}>
      <span class="line">
        <time>{clockTime(delivery.createdAt)}</time>
        <b>{title}</b>
        <span class={`pill delivery-${delivery.state}`}>{tValue('delivery', delivery.state)}</span>
        <span class="grow" />
        {orderId && (
          <button class="link small" onClick={() => openOrder(orderId)}>
            {orders.value.get(orderId)?.number.slice(-4) ?? t('card.order')}
          </button>
        )}
        {delivery.state === 'queued' && (
          <button
            class="small-button"
            onClick={() =>
              void act(() => post(`${pathOf(vehicleId)}/deliveries/${encodeURIComponent(delivery.id)}/cancel`), again)
            }
          >
            {t('do.cancel')}
          </button>
        )}
        {repeat && !isOpen(delivery) && (
          <button
            class="small-button"
            aria-label={t('delivery.againOf', { what: title })}
            title={t('delivery.again')}
            onClick={() => void act(repeat, again, t('vehicle.messageQueued'))}
          >
            <Icon name="replay" size={13} />
          </button>
        )}
      </span>
      {delivery.text && <span class="small">{delivery.text}</span>}
      {children}
      {isOpen(delivery) && delivery.progress && <Progress of={delivery.progress} />}
      <Facts delivery={delivery} />
    </li>
  );
}

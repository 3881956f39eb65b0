/** One thing that waits for a person: what happened, and the choices that the server offers. */
import { post } from '../api/client.js';
import type { CardJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { t, tValue } from '../i18n/index.js';
import { orders, refreshCards } from '../state/live.js';
import { openOrder, openVehicle } from '../state/selection.js';
import { Icon } from '../ui/icons.js';
import { vehicleName } from '../ui/pieces.js';
import { say, sayProblem } from '../ui/toast.js';

async function resolve(card: CardJson, choice: string): Promise<void> {
  try {
    const list = card.kind === 'conflict' ? 'conflicts' : card.kind === 'quarantine' ? 'quarantine' : 'attention';
    await post(`/${list}/${encodeURIComponent(card.id)}/resolve`, { choice });
    say(t('card.resolved'));
    await refreshCards();
  } catch (error) {
    sayProblem(error);
  }
}

export function CardItem({ card }: { card: CardJson }) {
  const order = card.orderId ? orders.value.get(card.orderId) : undefined;
  return (
    <article class={`notice kind-${card.kind}`} data-card={card.id}>
      <header class="line">
        <Icon name={card.kind === 'conflict' ? 'merge' : 'alert'} size={15} />
        <b>{tValue('cardKind', card.kind)}</b>
        <time class="muted small">{clockTime(card.at)}</time>
      </header>
      <p>{card.message}</p>
      {card.bytesHex && <p class="hex">{card.bytesHex.slice(0, 120)}</p>}
      <div class="row">
        {card.orderId && (
          <button class="link" onClick={() => openOrder(card.orderId!)}>
            {order?.number ?? t('card.order')}
          </button>
        )}
        {card.vehicleId && (
          <button class="link" onClick={() => openVehicle(card.vehicleId!)}>
            {vehicleName(card.vehicleId)}
          </button>
        )}
        <span class="grow" />
        {card.choices.map((choice) => (
          <button key={choice} class="small-button" onClick={() => void resolve(card, choice)}>
            {tValue('choice', choice)}
          </button>
        ))}
      </div>
    </article>
  );
}

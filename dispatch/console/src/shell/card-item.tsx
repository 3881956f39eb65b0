/** One thing that waits for a person: what happened, and the choices that the server offers. */
import { post } from '../api/client.js';
import type { CardJson } from '../api/types.js';
import { clockTime } from '../format.js';
import { known, t, tValue } from '../i18n/index.js';
import { openReassign } from '../pages/step-buttons.js';
import { plainText } from '../ui/form-data.js';
import { orders, refreshCards } from '../state/live.js';
import { openOrder, openVehicle } from '../state/selection.js';
import { Icon } from '../ui/icons.js';
import { vehicleName } from '../ui/pieces.js';
import { say, sayProblem } from '../ui/toast.js';

async function resolve(card: CardJson, choice: string): Promise<void> {
  const order = orders.value.get(card.orderId ?? '');
  // The person sees the proposed crew beside the others before the order goes there; that it went settles the card.
  if (card.code === 'nextCrew' && choice === 'reassign' && order?.allowed?.includes('reassign')) {
    return openReassign(order, plainText(card.data.to));
  }
  try {
    const list = card.kind === 'conflict' ? 'conflicts' : card.kind === 'quarantine' ? 'quarantine' : 'attention';
    await post(`/${list}/${encodeURIComponent(card.id)}/resolve`, { choice });
    say(t('card.resolved'));
    await refreshCards();
  } catch (error) {
    sayProblem(error);
  }
}

/** In the reader's language where the case is a known one, else in the server's words. */
function wordsOf(card: CardJson): string {
  const key = `cardText.${card.code}`;
  if (!known(key)) return card.message;
  return t(key, {
    number: orders.value.get(card.orderId ?? '')?.number ?? '',
    plate: card.vehicleId ? vehicleName(card.vehicleId) : '',
    next: vehicleName(plainText(card.data.to)),
    action: tValue('action', plainText(card.data.action)),
  });
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
      <p>{wordsOf(card)}</p>
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

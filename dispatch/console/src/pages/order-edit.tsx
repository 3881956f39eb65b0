/** Correcting an order: only what was changed is sent, and can be put back. */
import { useState } from 'preact/hooks';
import { patch } from '../api/client.js';
import type { OrderJson } from '../api/types.js';
import { t } from '../i18n/index.js';
import type { Bounds, OrderMark } from '../map/engine.js';
import { takeOrder, type LiveOrder } from '../state/live.js';
import { Dialog, SaveRow } from '../ui/dialog.js';
import { problemWords, say, sayProblem } from '../ui/toast.js';
import { contentOf, OrderFields, placeOf, type Content } from './board/order-fields.js';
import { PickMap } from './board/pick-map.js';

type Changes = Partial<Content>;
const same = (a: object, b: object): boolean =>
  Object.entries(a).every(([name, value]) => (b as Record<string, unknown>)[name] === value);

/** The parts that differ. `fault` and `customer` are sent whole. */
function changesOf(from: Content, to: Content): Changes {
  return {
    ...(same(to.customer, from.customer) ? {} : { customer: to.customer }),
    ...(same(to.site, from.site) ? {} : { site: to.site }),
    ...(same(to.fault, from.fault) ? {} : { fault: to.fault }),
    ...(to.priority === from.priority ? {} : { priority: to.priority }),
  };
}

const contentNow = ({ customer, site, fault, priority }: OrderJson): Content => ({
  customer: { name: customer.name, phone: customer.phone },
  site: { lat: site.lat, lon: site.lon, address: site.address },
  fault: { category: fault.category, voltage: fault.voltage, description: fault.description },
  priority,
});

async function send(orderId: string, changes: Changes): Promise<void> {
  takeOrder(await patch<OrderJson>(`/orders/${encodeURIComponent(orderId)}`, changes));
}

/** What was there before, of the parts that were changed. */
const before = (content: Content, changes: Changes): Changes =>
  Object.fromEntries(Object.keys(changes).map((name) => [name, content[name as keyof Content]]));

/** About two kilometres around the site: enough to find the right house. */
const AROUND_DEG = 0.01;
const around = ({ lat, lon }: { lat: number; lon: number }): Bounds => ({
  west: lon - AROUND_DEG,
  south: lat - AROUND_DEG,
  east: lon + AROUND_DEG,
  north: lat + AROUND_DEG,
});

export function EditDialog({ order, onClose }: { order: LiveOrder; onClose: () => void }) {
  const [place, setPlace] = useState({ lat: String(order.site.lat), lon: String(order.site.lon) });
  const [problem, setProblem] = useState<string>();
  const { site } = order;
  const picked = placeOf(place);
  const marks: OrderMark[] = picked
    ? [{ id: order.id, ...picked, tone: 'good', left: 1, minutes: '', urgent: false, label: order.number }]
    : [];
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const from = contentNow(order);
    const changes = changesOf(from, contentOf(event.target as HTMLFormElement));
    if (Object.keys(changes).length === 0) return onClose();
    try {
      await send(order.id, changes);
    } catch (error) {
      return setProblem(problemWords(error));
    }
    say(t('step.done', { step: t('step.edit'), number: order.number }), () => {
      send(order.id, before(from, changes)).catch(sayProblem);
    });
    onClose();
  };
  return (
    <Dialog wide class="new-order" title={`${t('step.edit')} · ${order.number}`} onClose={onClose}>
      <form class="two-columns" onSubmit={(event) => void submit(event)}>
        <div class="stack">
          <OrderFields order={order} place={place} setPlace={setPlace} />
        </div>
        <div class="stack">
          <PickMap marks={marks} start={around(site)} onPick={setPlace} />
          <p class="muted small">{t('edit.told')}</p>
          <SaveRow problem={problem} onCancel={onClose} />
        </div>
      </form>
    </Dialog>
  );
}

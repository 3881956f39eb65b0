/** The fault record from the truck, kept on the phone until the gateway has it. */
import type { OrderJson } from '../../api/types.js';
import { RecordDialog } from '../record-form.js';
import { press } from './outbox.js';

export function CrewRecord({ order, onClose }: { order: OrderJson; onClose: () => void }) {
  const keep = async (record: Record<string, unknown>, photos: readonly Blob[]): Promise<boolean> => {
    const path = `/orders/${encodeURIComponent(order.id)}/record`;
    await press({
      path,
      body: { record },
      step: 'record',
      orderId: order.id,
      label: order.number,
      photos: [...photos],
    });
    return true;
  };
  return <RecordDialog order={order} onClose={onClose} file={keep} />;
}

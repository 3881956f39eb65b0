/** The fault record from the truck, kept on the phone until the gateway has it. */
import type { OrderJson } from '../../api/types.js';
import { t } from '../../i18n/index.js';
import { Dialog } from '../../ui/dialog.js';
import { sayProblem } from '../../ui/toast.js';
import { RecordFields, recordOf, usePhotos } from '../record-form.js';
import { press } from './outbox.js';

export function CrewRecord({ order, onClose }: { order: OrderJson; onClose: () => void }) {
  const { photos, add } = usePhotos();
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const record = recordOf(event.target as HTMLFormElement);
    try {
      await press({
        path: `/orders/${encodeURIComponent(order.id)}/record`,
        body: { record },
        step: 'record',
        orderId: order.id,
        label: order.number,
        photos,
      });
      onClose();
    } catch (error) {
      sayProblem(error);
    }
  };
  return (
    <Dialog title={`${t('crew.record')} · ${order.number}`} onClose={onClose}>
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <RecordFields order={order} photos={photos} addPhotos={add} />
        <footer class="row end">
          <button type="submit" class="primary">
            {t('do.save')}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

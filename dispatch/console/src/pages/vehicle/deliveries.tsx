/** What was sent to the terminal, with attempts and receipts, and the texts of all open orders once more. */
import { post } from '../../api/client.js';
import type { DeliveryJson, VehicleJson } from '../../api/types.js';
import { t, tValue } from '../../i18n/index.js';
import { Icon } from '../../ui/icons.js';
import { Empty } from '../../ui/pieces.js';
import { say, sayProblem } from '../../ui/toast.js';
import { DeliveryItem, newestFirst } from './delivery-item.js';
import { pathOf } from './path.js';

const MAX_SHOWN = 60;

export function Deliveries({ vehicle, list, again }: { vehicle: VehicleJson; list: DeliveryJson[]; again(): void }) {
  const resend = async (): Promise<void> => {
    try {
      await post(`${pathOf(vehicle.id)}/resend`);
      say(t('vehicle.resent'));
      again();
    } catch (error) {
      sayProblem(error);
    }
  };
  const titleOf = ({ kind, command }: DeliveryJson): string =>
    command ? tValue('fn', command.name) : tValue('deliveryKind', kind);
  return (
    <section>
      <div class="line">
        <h3 class="grow">{t('vehicle.deliveries')}</h3>
        <button class="small-button" data-do="resend" title={t('vehicle.resendHint')} onClick={() => void resend()}>
          <Icon name="replay" size={14} /> {t('vehicle.resend')}
        </button>
      </div>
      {list.length === 0 && <Empty text={t('vehicle.noDeliveries')} />}
      <ol class="deliveries">
        {newestFirst(list)
          .slice(0, MAX_SHOWN)
          .map((one) => (
            <DeliveryItem key={one.id} vehicleId={vehicle.id} delivery={one} title={titleOf(one)} again={again} />
          ))}
      </ol>
    </section>
  );
}

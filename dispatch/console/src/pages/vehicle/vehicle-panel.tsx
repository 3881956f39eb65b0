/** One vehicle: queue and crew, what its terminal can do, its photos, what was sent to it. */
import { signal } from '@preact/signals';
import type { PageOf } from '../../api/client.js';
import type { DeliveryJson, QueueJson } from '../../api/types.js';
import { t } from '../../i18n/index.js';
import { now } from '../../state/clock.js';
import { recentEvents, vehicles } from '../../state/live.js';
import { closeInspector } from '../../state/selection.js';
import { Icon } from '../../ui/icons.js';
import { useLoad } from '../../ui/load.js';
import { DutyPill, Empty, LinkMark, Problem } from '../../ui/pieces.js';
import { Tabs } from '../../ui/tabs.js';
import { Alarms } from './alarms.js';
import { Crew, Message } from './crew.js';
import { Deliveries } from './deliveries.js';
import { isOpen } from './delivery-item.js';
import { pathOf } from './path.js';
import { Photos } from './photos.js';
import { Queue } from './queue.js';
import { TerminalTab } from './terminal-tab.js';

type TabName = 'overview' | 'terminal' | 'photos' | 'deliveries';
/** Kept from vehicle to vehicle: who reads parameters wants to read the next one's too. */
const chosenTab = signal<TabName>('overview');

export function VehiclePanel({ id }: { id: string }) {
  const vehicle = vehicles.value.get(id);
  // Deliveries change without the vehicle's own document changing: the newest event about it is the version.
  const newest = recentEvents.value.find((event) => event.vehicleId === id)?.position ?? 0;
  const queue = useLoad<QueueJson>(`${pathOf(id)}/queue`, `${vehicle?.version}/${newest}`);
  const deliveries = useLoad<PageOf<DeliveryJson>>(`${pathOf(id)}/deliveries`, `${vehicle?.version}/${newest}`);
  void now.value;
  const list = deliveries.value?.items ?? [];
  const tab = chosenTab.value;
  const waiting = list.filter(isOpen).length;
  const tabs = (['overview', 'terminal', 'photos', 'deliveries'] as const).map((name) => ({
    name,
    label: t(`vehicle.tab.${name}`),
    ...(name === 'deliveries' && waiting > 0 ? { count: waiting } : {}),
  }));
  return (
    <aside class="inspector" aria-label={t('vehicle.label')} data-inspector={id}>
      <header class="panel-head">
        <div class="grow">
          <h2 class="plate">{vehicle?.plate ?? id}</h2>
          {vehicle && (
            <p class="line">
              <DutyPill vehicle={vehicle} />
              <LinkMark vehicle={vehicle} words />
            </p>
          )}
        </div>
        <button class="icon-only quiet" aria-label={t('do.close')} onClick={closeInspector}>
          <Icon name="close" />
        </button>
      </header>
      <Tabs tabs={tabs} chosen={tab} onChoose={(name) => (chosenTab.value = name)} />
      <div class="panel-body" tabIndex={0} role="region" aria-label={t(`vehicle.tab.${tab}`)}>
        {!vehicle && <Empty text={queue.problem ?? t('app.loading')} />}
        {vehicle && tab === 'overview' && (
          <>
            <Alarms vehicle={vehicle} />
            {queue.value && <Queue vehicle={vehicle} queue={queue.value} />}
            {queue.problem && <Problem words={queue.problem} again={queue.again} />}
            <Crew vehicle={vehicle} />
            <Message vehicle={vehicle} sent={deliveries.again} />
            <p>
              <a class="button" href={`/replay?vehicle=${encodeURIComponent(id)}`}>
                <Icon name="replay" size={15} /> {t('order.replay')}
              </a>
            </p>
          </>
        )}
        {vehicle && (tab === 'terminal' || tab === 'deliveries') && deliveries.problem && (
          <Problem words={deliveries.problem} again={deliveries.again} />
        )}
        {vehicle && tab === 'terminal' && <TerminalTab vehicle={vehicle} list={list} again={deliveries.again} />}
        {vehicle && tab === 'photos' && <Photos vehicle={vehicle} />}
        {vehicle && tab === 'deliveries' && <Deliveries vehicle={vehicle} list={list} again={deliveries.again} />}
      </div>
    </aside>
  );
}

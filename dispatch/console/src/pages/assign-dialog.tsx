/** Recommended vehicles with their reasons; the dispatcher decides. */
import { useEffect, useState } from 'preact/hooks';
import { get, type PageOf } from '../api/client.js';
import type { CandidateJson } from '../api/types.js';
import { distance, rough } from '../format.js';
import { t } from '../i18n/index.js';
import { vehicles, type LiveOrder } from '../state/live.js';
import { takeStep } from '../state/steps.js';
import { Dialog } from '../ui/dialog.js';
import { DutyPill, Empty, LinkMark } from '../ui/pieces.js';
import { problemWords } from '../ui/toast.js';

export function useCandidates(orderId: string): { list: CandidateJson[] | undefined; problem: string | undefined } {
  const [list, setList] = useState<CandidateJson[]>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    const abort = new AbortController();
    get<PageOf<CandidateJson> | { candidates: CandidateJson[] }>(`/orders/${encodeURIComponent(orderId)}/candidates`, {
      signal: abort.signal,
    })
      .then((answer) => setList('items' in answer ? answer.items : answer.candidates))
      .catch((error: unknown) => {
        if (!abort.signal.aborted) setProblem(problemWords(error));
      });
    return () => abort.abort();
  }, [orderId]);
  return { list, problem };
}

export const isSuitable = (candidate: CandidateJson): boolean => candidate.suitable ?? !candidate.refused;

export function CandidateRow(props: { candidate: CandidateJson; proposed?: boolean; action(): void }) {
  const { candidate, proposed, action } = props;
  const vehicle = vehicles.value.get(candidate.vehicleId);
  const suitable = isSuitable(candidate);
  return (
    <li class={`candidate ${suitable ? '' : 'unsuitable'}`}>
      <div class="line">
        {vehicle && <LinkMark vehicle={vehicle} />}
        <b class="plate">{candidate.plate ?? vehicle?.plate ?? candidate.vehicleId}</b>
        {vehicle && <DutyPill vehicle={vehicle} />}
        {proposed && <span class="pill good">{t('candidate.proposed')}</span>}
        <span class="grow" />
        {typeof candidate.etaMs === 'number' && (
          <b class="eta">{t('candidate.eta', { eta: rough(candidate.etaMs) })}</b>
        )}
        <button class={suitable ? 'primary' : ''} onClick={action} data-vehicle={candidate.vehicleId}>
          {suitable ? t('step.assign') : t('candidate.anyway')}
        </button>
      </div>
      <p class="small muted">
        {vehicle?.crew.name}
        {typeof candidate.distanceM === 'number' && ` · ${distance(candidate.distanceM)}`}
        {vehicle && ` · ${t('vehicle.queueShort', { n: vehicle.queueLength })}`}
      </p>
      <ul class="reasons">
        {candidate.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </li>
  );
}

export function AssignDialog(props: {
  order: LiveOrder;
  step: 'assign' | 'reassign';
  /** Vehicle that a card proposes: shown first. */
  proposed?: string | undefined;
  onClose: () => void;
}) {
  const { list: ranked, problem } = useCandidates(props.order.id);
  const isProposed = ({ vehicleId }: CandidateJson): boolean => vehicleId === props.proposed;
  const list = ranked && [...ranked.filter(isProposed), ...ranked.filter((one) => !isProposed(one))];
  const assign = async (vehicleId: string): Promise<void> => {
    if (await takeStep(props.order, props.step, { vehicleId })) props.onClose();
  };
  return (
    <Dialog wide title={`${t(`step.${props.step}`)} · ${props.order.number}`} onClose={props.onClose}>
      <p class="muted">{props.order.site.address}</p>
      {problem && <p class="problem">{problem}</p>}
      {!list && !problem && <p class="muted">{t('app.loading')}</p>}
      {list?.length === 0 && <Empty text={t('candidate.none')} />}
      <ol class="candidates">
        {list?.map((one) => (
          <CandidateRow
            key={one.vehicleId}
            candidate={one}
            proposed={isProposed(one)}
            action={() => void assign(one.vehicleId)}
          />
        ))}
      </ol>
    </Dialog>
  );
}

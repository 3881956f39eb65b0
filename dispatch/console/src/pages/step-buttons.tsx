/** The steps that an order allows now, the next one first and marked. */
import { signal } from '@preact/signals';
import { vehicles, type LiveOrder } from '../state/live.js';
import { possibleSteps, runStep, stepLabel, type StepLook } from '../state/steps.js';
import { Icon } from '../ui/icons.js';
import { currentLeg } from '../ui/order-time.js';
import { t } from '../i18n/index.js';
import { AssignDialog } from './assign-dialog.js';
import { EditDialog } from './order-edit.js';
import { CallBackDialog, MergeDialog } from './order-forms.js';
import { fileRecord, RecordDialog } from './record-form.js';
import { StatusLinkDialog } from './status-link.js';

/** The form on show. It stands beside the views, not inside a card: a click in it must not open the card. */
const openForm = signal<{ form: NonNullable<StepLook['form']>; order: LiveOrder; proposed?: string } | undefined>(
  undefined,
);

/** Opens the choice of another vehicle with the one that the rules propose first. */
export function openReassign(order: LiveOrder, proposed: string): void {
  openForm.value = { form: 'reassign', order, proposed };
}

export function StepForms() {
  const open = openForm.value;
  if (!open) return null;
  const { form, order, proposed } = open;
  const onClose = (): void => void (openForm.value = undefined);
  if (form === 'assign' || form === 'reassign') {
    return <AssignDialog order={order} step={form} proposed={proposed} onClose={onClose} />;
  }
  if (form === 'record') {
    const file = (record: Record<string, unknown>, photos: readonly Blob[]) => fileRecord(order, record, photos);
    return <RecordDialog order={order} onClose={onClose} file={file} />;
  }
  if (form === 'callback') return <CallBackDialog order={order} onClose={onClose} />;
  if (form === 'edit') return <EditDialog order={order} onClose={onClose} />;
  if (form === 'status-link') return <StatusLinkDialog order={order} onClose={onClose} />;
  return <MergeDialog order={order} onClose={onClose} />;
}

/** At most `shown` as buttons, the rest in a menu. */
export function StepButtons({ order, shown = 4, small }: { order: LiveOrder; shown?: number; small?: boolean }) {
  const leg = currentLeg(order);
  const onTracker = leg?.open === true && vehicles.value.get(leg.vehicleId)?.terminal.profile === 'tracker';
  const steps = possibleSteps(order, onTracker);
  const run = (step: StepLook): void => {
    if (step.form) openForm.value = { form: step.form, order };
    else void runStep(order, step);
  };
  const button = (step: StepLook, primary: boolean) => (
    <button
      key={step.name}
      class={`${primary ? 'primary' : ''} ${step.danger ? 'danger-text' : ''} ${small ? 'small-button' : ''}`}
      data-step={step.name}
      onClick={() => run(step)}
    >
      <Icon name={step.icon} size={small ? 14 : 16} /> {stepLabel(step.name)}
    </button>
  );
  const rest = steps.slice(shown);
  return (
    // A click here is about the order's next step, not about the card that it stands on.
    <div class="steps" onClick={(event) => event.stopPropagation()}>
      {steps.slice(0, shown).map(({ step, next }) => button(step, next))}
      {rest.length > 0 && (
        <details
          class="menu"
          onClick={(event) => {
            if ((event.target as Element).closest('button')) event.currentTarget.open = false;
          }}
        >
          <summary class={small ? 'small-button' : ''} aria-label={t('do.moreOf', { number: order.number })}>
            {small ? '⋯' : t('do.more')}
          </summary>
          <div class="menu-body">{rest.map(({ step }) => button(step, false))}</div>
        </details>
      )}
    </div>
  );
}

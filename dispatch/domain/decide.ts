/** Command type → decider, report type → applier. */
import { urgeDeciders } from './urge.js';
import { statusLinkDeciders } from './status-link.js';
import { stopDeciders } from './stops.js';
import { recordDeciders } from './record.js';
import { attributeAppliers } from './attributes.js';
import { alarmAppliers } from './alarms.js';
import { fenceAppliers } from './fences.js';
import { mediaAppliers, mediaDeciders } from './media.js';
import { mergeDeciders } from './merge.js';
import { nextCrewDeciders } from './next-crew.js';
import { eraseDeciders } from './erase.js';
import { dutyAppliers, dutyDeciders } from './duty.js';
import { cardDeciders } from './card-choices.js';
import { callbackDeciders } from './callback.js';
import { alertDeciders } from './alerts.js';
import { assignmentDeciders } from './assignment.js';
import type { TerminalReport } from './commands.js';
import { deliveryAppliers } from './delivery-answers.js';
import { menuAppliers } from './delivery-menu.js';
import { deliveryDeciders } from './delivery.js';
import { forecastDeciders } from './forecast.js';
import { legStepDeciders } from './leg-steps.js';
import { linkDeciders } from './link.js';
import { orderDeciders } from './order.js';
import { organisationDeciders } from './organisation.js';
import { queueDeciders } from './queue.js';
import { evidenceAppliers } from './terminal-evidence.js';
import { actionAppliers } from './terminal-actions.js';
import { join, type AnyCommand, type Appliers, type Deciders, type Result } from './tables.js';
import { Refusal, type Tx } from './tx.js';

const DECIDERS: Deciders = join<Deciders>(
  'deciders',
  // one line for each subject
  callbackDeciders,
  cardDeciders,
  dutyDeciders,
  eraseDeciders,
  mediaDeciders,
  mergeDeciders,
  nextCrewDeciders,
  recordDeciders,
  statusLinkDeciders,
  stopDeciders,
  urgeDeciders,
  alertDeciders,
  forecastDeciders,
  organisationDeciders,
  queueDeciders,
  orderDeciders,
  assignmentDeciders,
  legStepDeciders,
  deliveryDeciders,
  linkDeciders,
);

const APPLIERS: Appliers = join<Appliers>(
  'appliers',
  // one line for each subject
  evidenceAppliers,
  dutyAppliers,
  attributeAppliers,
  alarmAppliers,
  fenceAppliers,
  mediaAppliers,
  actionAppliers,
  deliveryAppliers,
  menuAppliers,
);

/** Decides a command: emits its events and gives what it made or changed. Throws `Refusal` where the rules say no. */
export function decide(tx: Tx, command: AnyCommand): Result {
  const decider = DECIDERS[command.type] as ((tx: Tx, command: AnyCommand) => Result) | undefined;
  if (!decider) throw new Refusal('unknownCommand', `there is no command ${command.type}`, 422);
  return decider(tx, command);
}

/** Applies what a terminal, or a rule over positions, reported. */
export function applyReport(tx: Tx, report: TerminalReport): void {
  const applier = APPLIERS[report.type] as ((tx: Tx, report: TerminalReport) => void) | undefined;
  if (!applier) throw new Error(`no applier for report type ${report.type}`);
  applier(tx, report);
}

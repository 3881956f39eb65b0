/** What waits for the person who is signed in: alerts that nobody has acknowledged and that are told to their level. */
import { computed } from '@preact/signals';
import type { AlertJson, Role } from '../api/types.js';
import { activeAlerts, openCards } from './live.js';
import { hasRole } from './session.js';

/** Whose desk answers for a level. The crew and its managers are phoned by the repair centre. */
const DESK: Record<string, readonly Role[]> = {
  callCentre: ['agent', 'supervisor'],
  repairCentre: ['dispatcher'],
  crew: ['dispatcher'],
  manager: ['dispatcher'],
  network: ['administrator'],
  maintenance: ['administrator'],
};

/** A call for help is everybody's. */
function isMine({ told, severity, acknowledged }: AlertJson): boolean {
  if (acknowledged.length > 0) return false;
  return severity === 'sos' || told.length === 0 || told.some(({ level }) => hasRole(...(DESK[level] ?? [])));
}

export const waitingAlerts = computed(() => activeAlerts.value.filter(isMine));
export const waitingCount = computed(() => waitingAlerts.value.length + openCards.value.length);

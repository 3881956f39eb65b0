/** What waits for a person: alerts and cards. */
import type { IngestRef } from '../events.js';

export interface Alert {
  id: string;
  kind: string;
  orderId?: string;
  leg?: number;
  vehicleId?: string;
  centreId?: string;
  /** Levels that are told: who must do what. */
  told: { level: 'callCentre' | 'repairCentre' | 'crew' | 'manager' | 'maintenance'; name?: string; phone?: string }[];
  message: string;
  /** What `message` says besides its kind, so that each reader can have it in a language of their own. */
  values?: Record<string, string | number>;
  severity: 'info' | 'warning' | 'breach' | 'sos';
  raisedAt: number;
  acknowledged: { by: string; at: number }[];
  endedAt?: number;
  endedBecause?: string;
}

/** Something that waits for a person: conflict cards, attention list, proposals, quarantined evidence. */
export interface Card {
  id: string;
  kind: 'conflict' | 'attention' | 'proposal' | 'quarantine' | 'swapped' | 'contested';
  code: string;
  message: string;
  orderId?: string;
  leg?: number;
  vehicleId?: string;
  centreId?: string;
  at: number;
  choices: string[];
  data: Record<string, unknown>;
  /** Raw bytes of what was quarantined, hex. */
  bytesHex?: string;
  frame?: IngestRef;
  resolved?: { at: number; by: string; choice: string; note?: string };
}

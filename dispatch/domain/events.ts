/**
 * The envelope of every change. State is what the events say: each document is a fold over the events that name it,
 * and nothing else changes a document (domain.md, "Four small state machines").
 */

/** Where a statement came from (domain.md, "Every change is an event"). */
export type Source = 'terminal' | 'fence' | 'crew' | 'dispatcher' | 'callCentre' | 'api' | 'rule';

/** Where the bytes of a terminal's statement lie in an ingest log: the proof behind an event. */
export interface IngestRef {
  /** Node that logged the group. */
  node: string;
  /** Sequence number of the group in that node's log. */
  sequence: number;
  /** Index of the entry inside the group. */
  index: number;
}

/** One change, as the domain emits it. The store adds `position`. */
export interface DomainEvent<Type extends string = string, Data = unknown> {
  /** `order.{stage}`, `leg.{state}`, `timePoint.set`, … (contract.md, "Event types"). */
  type: Type;
  orderId?: string;
  /** Leg number, with `orderId`. */
  leg?: number;
  vehicleId?: string;
  /** Repair centre that the change concerns: who may see it. */
  centreId?: string;
  source: Source;
  /** Who: an account, a token, a terminal number, or the rule's name. */
  by: string;
  /** Device time corrected by nothing, if the message carried one (ms UTC). */
  deviceAt?: number;
  /** When the gateway received the statement (ms UTC). */
  receivedAt: number;
  /** When the change was decided and committed (ms UTC). */
  committedAt: number;
  /** The raw frame that says so, for terminals. */
  frame?: IngestRef;
  data: Data;
}

/** An event in the log. Positions rise by one; no position is ever missing or reused. */
export type StoredEvent<E extends DomainEvent = DomainEvent> = E & { position: number };

/** Who acts, and with which rights. Built by the API from a session or token, by the reader from a terminal. */
export interface Actor {
  source: Source;
  /** Account name, token name, terminal number or rule name: goes into `by`. */
  name: string;
  /** Roles; checked in one place, `dispatch/rights.ts`. */
  roles: readonly Role[];
  /** Repair centres that the actor is limited to; undefined means all. */
  centres?: readonly string[];
  /** Vehicle that a crew account belongs to. */
  vehicleId?: string;
}

export type Role = 'administrator' | 'agent' | 'supervisor' | 'dispatcher' | 'crew' | 'integrator';

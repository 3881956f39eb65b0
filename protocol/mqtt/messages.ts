/**
 * The messages of terminal.proto as plain values. Field meanings are in terminal.proto; here an absent optional field
 * is what the .proto calls "not given". Times (`…Ms`) are milliseconds since 1970 UTC, coordinates WGS-84 degrees.
 */

export interface LegKey {
  orderId: string;
  leg: number;
}

/** One leg and the version of its content, as in a snapshot or in what a terminal holds. */
export interface QueueEntry extends LegKey {
  contentVersion: number;
}

export const receiptResults = ['unspecified', 'ok', 'refused', 'unsupported', 'full'] as const;
export type ReceiptResult = (typeof receiptResults)[number];

export const crewActions = [
  'unspecified',
  'read',
  'accept',
  'reject',
  'depart',
  'arrive',
  'working',
  'done',
  'suspend',
  'resume',
] as const;
export type CrewAction = (typeof crewActions)[number];

export const dutyStates = ['unspecified', 'standby', 'onBreak', 'offDuty'] as const;
export type DutyTarget = (typeof dutyStates)[number];

export const alarmKinds = ['unspecified', 'sos', 'accident', 'breakdown'] as const;
export type AlarmKind = (typeof alarmKinds)[number];

export const priorities = ['unspecified', 'normal', 'urgent'] as const;
export type Priority = (typeof priorities)[number];

export const arrivalModes = ['unspecified', 'automatic', 'manual'] as const;
export type ArrivalMode = (typeof arrivalModes)[number];

export interface Hello {
  kind: 'hello';
  software: string;
  device: string;
  maxLegs: number;
  maxTextChars: number;
  capabilities: string[];
  language: string;
  /** The describe delivery that asked for it; absent when sent on its own. */
  deliveryId?: string;
  serialNumber?: string;
  firmware?: string;
  iccid?: string;
}

export interface Receipt {
  kind: 'receipt';
  deliveryId: string;
  result: ReceiptResult;
  /** Set with `leg` when the receipt names a leg. */
  orderId?: string;
  leg?: number;
  contentVersion?: number;
  revision?: number;
  detail?: string;
}

export interface OrderAction extends LegKey {
  kind: 'orderAction';
  action: CrewAction;
  atMs: number;
  reason?: string;
  lat?: number;
  lon?: number;
  note?: string;
}

export interface MqttPosition {
  atMs: number;
  lat: number;
  lon: number;
  altitudeM: number;
  speedKmh: number;
  headingDeg: number;
  accuracyM?: number;
  mileageKm?: number;
  alarm: number;
  status: number;
  satellites?: number;
}

export interface PositionBatch {
  kind: 'positions';
  positions: MqttPosition[];
  /** The position request that it answers; absent when sent on its own. */
  deliveryId?: string;
}

export interface Duty {
  kind: 'duty';
  to: DutyTarget;
  atMs: number;
  reason?: string;
  untilMs?: number;
}

export interface Holdings {
  kind: 'holdings';
  /** The snapshot delivery that asked for it; absent when sent on its own. */
  deliveryId?: string;
  revision: number;
  entries: QueueEntry[];
}

export interface Answer {
  kind: 'answer';
  deliveryId: string;
  choice: number;
  text?: string;
  atMs: number;
}

export interface TerminalAlarm {
  kind: 'alarm';
  alarm: AlarmKind;
  active: boolean;
  atMs: number;
  lat?: number;
  lon?: number;
  text?: string;
}

/** A body of a newer version of the schema, or none. */
export interface UnknownBody {
  kind: 'unknown';
}

export type UplinkBody =
  Hello | Receipt | OrderAction | PositionBatch | Duty | Holdings | Answer | TerminalAlarm | UnknownBody;

export interface Uplink {
  /** Counts the uplinks of one terminal; 0 when it does not count. */
  sequence: number;
  /** 0 when the terminal has no clock. */
  sentAtMs: number;
  body: UplinkBody;
}

export interface Snapshot {
  kind: 'snapshot';
  revision: number;
  entries: QueueEntry[];
}

export interface OrderUpsert extends QueueEntry {
  kind: 'orderUpsert';
  number: string;
  address: string;
  lat?: number;
  lon?: number;
  customerName?: string;
  customerPhone?: string;
  faultCategory?: string;
  voltage?: string;
  description?: string;
  priority: Priority;
  deadlineMs?: number;
  arrivalMode: ArrivalMode;
  arrivalRadiusM?: number;
}

export interface Remove extends LegKey {
  kind: 'remove';
  reason?: string;
  revision: number;
  contentVersion: number;
}

export interface Urge extends LegKey {
  kind: 'urge';
  text?: string;
}

export interface Notice {
  kind: 'notice';
  text: string;
  urgent: boolean;
  /** Not read aloud. */
  silent?: boolean;
  /** Read aloud and not shown. */
  spokenOnly?: boolean;
}

export interface Question {
  kind: 'question';
  text: string;
  choices: string[];
  expiresAtMs?: number;
  urgent?: boolean;
  /** Not read aloud. */
  silent?: boolean;
}

/** Answered with a `positions` that has its delivery id. */
export interface PositionRequest {
  kind: 'positionRequest';
}

export interface Follow {
  kind: 'follow';
  /** Seconds between positions; 0 ends it. */
  intervalS: number;
  forS: number;
}

/** Answered with a `hello` that has its delivery id. */
export interface Describe {
  kind: 'describe';
}

export interface Restart {
  kind: 'restart';
}

export type DownlinkBody =
  | Snapshot
  | OrderUpsert
  | Remove
  | Urge
  | Notice
  | Question
  | PositionRequest
  | Follow
  | Describe
  | Restart
  | UnknownBody;

export interface Downlink {
  /** A receipt repeats it; empty when none is wanted. */
  deliveryId: string;
  sentAtMs: number;
  body: DownlinkBody;
}

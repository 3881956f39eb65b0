/** What is no fold over events, or only counts. */
/** Numbers given out by day: `order:20261121`. */
export interface Counter {
  value: number;
}

/** Window of business uplinks already applied, per terminal: (message id, serial, body hash), the newest 256. */
export interface SeenWindow {
  seen: string[];
}

/** State of the arrival and departure rules of one vehicle, from its positions. */
export interface Automation {
  vehicleId: string;
  state: Record<string, unknown>;
}

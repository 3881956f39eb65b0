/**
 * What people and systems may ask (contract.md, HTTP) and what terminals may report, in dispatch words. Every command
 * is decided by one function of `dispatch/domain`, found in its table by `type`.
 */
import type { IngestRef } from './events.js';
import type {
  CallBack,
  DutyState,
  Media,
  Order,
  Priority,
  ProfileName,
  QueueEntry,
  RepairCentre,
  Site,
  StampFlag,
  TerminalCommandItem,
  TerminalIdentity,
  TerminalOptions,
  Unit,
  Vehicle,
  Voltage,
} from './model.js';

/** Common to the steps of an order. `leg` defaults to the only open one; `at` lies between D and now. */
export interface StepFields {
  orderId: string;
  leg?: number;
  at?: number;
  reason?: string;
  note?: string;
  /** Expressly confirmed where the rules ask for a second confirmation. */
  confirm?: boolean;
}

export type OrderCommand =
  | {
      type: 'order.create';
      customer: Order['customer'];
      site: Pick<Site, 'lat' | 'lon' | 'address'> & Partial<Site>;
      fault: { category: string; voltage: Voltage; description: string };
      area?: string;
      priority?: Priority;
      callEndedAt?: number;
      /** Expressly confirmed: the call ended longer ago than `oldCallMs`. */
      confirm?: boolean;
    }
  | {
      type: 'order.edit';
      orderId: string;
      changes: Partial<Pick<Order, 'customer' | 'fault' | 'priority' | 'area'>> & { site?: Partial<Site> };
    }
  | ({ type: 'order.issue'; repairCentreId?: string } & StepFields)
  | ({ type: 'order.receive' } & StepFields)
  /** A console or API client signed in for the centre got the order (point C), without a click. */
  | { type: 'order.reachedCentre'; orderId: string }
  | ({ type: 'order.return' } & StepFields)
  | ({ type: 'order.assign'; vehicleId: string; position?: number } & StepFields)
  | ({ type: 'order.accept' } & StepFields)
  | ({ type: 'order.reject' } & StepFields)
  | ({ type: 'order.recall' } & StepFields)
  /** "Confirmed by phone": the crew says that the recalled order is gone from the terminal. */
  | ({ type: 'order.confirmRecall' } & StepFields)
  | ({ type: 'order.reassign'; vehicleId: string } & StepFields)
  | ({ type: 'order.suspend' } & StepFields)
  | ({ type: 'order.resume' } & StepFields)
  | ({ type: 'order.wait' } & StepFields)
  | ({ type: 'order.urge' } & StepFields)
  | ({ type: 'order.merge'; into: string } & StepFields)
  | ({ type: 'order.unmerge' } & StepFields)
  | ({ type: 'order.withdraw' } & StepFields)
  /** Deletes the customer's data of an order that has ended. */
  /** With the cards and photos that are about the order. */
  | { type: 'order.erase'; orderId: string; cards?: readonly string[]; media?: readonly string[] }
  | ({ type: 'order.depart' } & StepFields)
  | ({ type: 'order.arrive' } & StepFields)
  | ({ type: 'order.work' } & StepFields)
  | ({ type: 'order.complete' } & StepFields)
  | ({ type: 'order.record'; record?: Record<string, unknown> } & StepFields)
  | ({ type: 'order.callback'; result: CallBack['result']; words?: string } & StepFields)
  | ({ type: 'order.reopen' } & StepFields)
  /** The crew's page showed the leg: point E where the terminal has not said so earlier. */
  | ({ type: 'order.shown' } & StepFields)
  | ({ type: 'order.toldByPhone' } & StepFields)
  /** A customer may follow the order with the token of this hash. */
  | { type: 'order.statusLink'; orderId: string; tokenSha256: string };

export type VehicleCommand =
  | ({
      type: 'vehicle.create';
      id?: string;
      terminal: { phone: string; profile?: ProfileName; secret?: string; options?: Partial<TerminalOptions> };
      crew: { name: string; members: Vehicle['crew']['members']; managers?: Vehicle['crew']['managers'] };
      language?: Vehicle['language'];
    } & Pick<Vehicle, 'plate' | 'repairCentreId' | 'trade'> &
      Partial<Pick<Vehicle, 'unitId' | 'sharesOffice' | 'toBeConfirmed'>>)
  | {
      type: 'vehicle.edit';
      vehicleId: string;
      changes: Partial<Omit<Vehicle, 'id' | 'queue' | 'duty' | 'link' | 'terminal' | 'createdAt'>> & {
        terminal?: {
          phone?: string;
          profile?: ProfileName | null;
          secret?: string;
          options?: Partial<TerminalOptions>;
        };
      };
    }
  | { type: 'vehicle.delete'; vehicleId: string }
  | { type: 'vehicle.reorder'; vehicleId: string; revision: number; orderIds: string[] }
  | { type: 'vehicle.message'; vehicleId: string; text: string; urgent?: boolean }
  | { type: 'vehicle.duty'; vehicleId: string; to: DutyState; reason?: string; until?: number; confirm?: boolean }
  /** Texts of all open legs again (driver lost them), or a terminal command of the JT/T 808 layer. */
  | { type: 'vehicle.resend'; vehicleId: string }
  | { type: 'delivery.cancel'; vehicleId: string; deliveryId: string }
  | ({ type: 'delivery.command'; vehicleId: string; expiresAt?: number } & TerminalCommandItem);

export type TerminalCommand =
  | { type: 'terminal.block'; phone: string; reason: string }
  | { type: 'terminal.unblock'; phone: string }
  | { type: 'terminal.acceptSwap'; phone: string }
  /** All codes end, and the MQTT password where there is one: `secret` is the new one. */
  | { type: 'terminal.rotate'; phone: string; secret?: string };

export type OrganisationCommand =
  | { type: 'centre.put'; centre: Partial<RepairCentre> & { id: string } }
  | { type: 'unit.put'; unit: Partial<Unit> & { id: string } }
  | { type: 'rules.put'; value: Record<string, unknown> }
  | { type: 'alert.acknowledge'; alertId: string }
  | { type: 'card.resolve'; cardId: string; choice: string; note?: string };

/** What the program itself decides from time to time. */
export type RuleCommand =
  /** When the vehicle is expected on site; undefined where nothing can be said. */
  | { type: 'order.forecast'; orderId: string; eta?: NonNullable<Order['eta']> }
  /** The next best crew for a leg that its crew does not take, with the reasons in words. */
  | { type: 'order.proposeCrew'; orderId: string; leg: number; vehicleId: string; reasons: string[] }
  /** Past its retention. */
  | { type: 'media.forget'; mediaId: string };

export type Command = OrderCommand | VehicleCommand | TerminalCommand | OrganisationCommand;

// ---------------------------------------------------------------------------------------------------------------
// From the gateway

/** What the gateway asks and says about terminals themselves: answered at once, not through the ingest log. */
export type LinkCommand =
  /**
   * 0x0100. Binds the identity at the first registration, gives a fresh code to the same three later (the one before
   * stays valid until the new one was used), refuses others with a "swapped?" card. `codeSha256` is the hash of the
   * fresh code that the gateway made.
   */
  | {
      type: 'link.register';
      phone: string;
      identity: TerminalIdentity;
      edition: 2011 | 2013 | 2019;
      plate: string;
      address: string;
      enrolment: 'known' | 'open';
      codeSha256: string;
    }
  /** A code was accepted: the older ones die. */
  | { type: 'link.authenticated'; phone: string; codeSha256: string; edition: 2011 | 2013 | 2019 }
  | {
      type: 'link.up';
      vehicleId: string;
      phone: string;
      address: string;
      transport: 'tcp' | 'tls' | 'mqtt';
      /** Who holds the session: only this node writes deliveries. */
      node?: string;
      /** Fence of the session: a `link.down` with an older one is ignored, a newer session has taken over. */
      fence?: number;
    }
  | { type: 'link.down'; vehicleId: string; phone: string; reason: string; fence?: number }
  /** Two live addresses claim one terminal (domain.md, "two connections for one terminal"). */
  | { type: 'link.takenOver'; vehicleId: string; phone: string; from: string; by: string }
  | { type: 'link.clockOffset'; phone: string; ms: number };

/** What the delivery loop says about one item of a vehicle's outbox. */
export type DeliveryReport =
  /** Bytes were written: `leg.sent`, attempt recorded with the serials that an answer will quote. */
  | {
      type: 'delivery.written';
      vehicleId: string;
      deliveryId: string;
      serials?: [number, number];
      messageId?: number;
      node: string;
      /** Fence of the session that writes: one that another has replaced may not. */
      fence?: number;
      nextAt?: number;
    }
  /** The serials that a later answer will quote; known only once the bytes are written. */
  | { type: 'delivery.serials'; vehicleId: string; deliveryId: string; serials: [number, number] }
  /** So many parts of a long message (an upgrade) have gone out, where the terminal confirms each: have arrived. */
  | { type: 'delivery.progress'; vehicleId: string; deliveryId: string; done: number; of: number }
  /** The last retry had no answer: shown, set aside, tried again at the next authentication and every 5 minutes. */
  | { type: 'delivery.unanswered'; vehicleId: string; deliveryId: string }
  /** 0x0001 result or protobuf result that refuses the item. */
  | { type: 'delivery.failed'; vehicleId: string; deliveryId: string; result: string };

/** Where the vehicle was when a key was pressed: as the message says, or from positions near that time. */
export interface PlaceOfKey {
  lat: number;
  lon: number;
  /** How far from there it may have been at the very moment, metres; absent where the message itself says the place. */
  withinM?: number;
}

/** Business uplink, translated from wire words by `gateway/translate.ts`; comes through the ingest log only. */
export type TerminalReport = {
  vehicleId: string;
  phone: string;
  receivedAt: number;
  /** Absent for what rules found. */
  frame?: IngestRef;
  /** (message id, serial, body hash): the window that drops what was already applied. Empty = never a duplicate. */
  dedupKey: string;
} & (
  | {
      type: 'report.receipt';
      /** Known from the serial that the terminal quoted (0x0001), or named in the protobuf receipt. */
      deliveryId?: string;
      /** Content version that the terminal says it holds now. */
      contentVersion?: number;
      orderId?: string;
      leg?: number;
      revision?: number;
      result: 'ok' | 'refused' | 'malformed' | 'unsupported' | 'full';
      /** A receipt of the terminal's application, not only of the transport (profile `smart`, `mqtt`). */
      ofApplication: boolean;
      deviceAt?: number;
    }
  /** What the terminal holds, after authentication or a change. */
  | {
      type: 'report.holdings';
      deliveryId?: string;
      revision: number;
      entries: (QueueEntry & { contentVersion: number })[];
    }
  | {
      type: 'report.action';
      orderId: string;
      leg: number;
      action: 'read' | 'accept' | 'reject' | 'depart' | 'arrive' | 'work' | 'done' | 'suspend' | 'resume';
      deviceAt?: number;
      reason?: string;
      at?: PlaceOfKey;
    }
  /** 0x0301: resolved by the table of event ids in the vehicle's outbox. */
  | { type: 'report.menuEvent'; eventId: number; at?: PlaceOfKey }
  | { type: 'report.duty'; to: DutyState; deviceAt?: number; reason?: string }
  | {
      type: 'report.answer';
      deliveryId?: string;
      quotedSerial?: number;
      answerId: number;
      text?: string;
      deviceAt?: number;
    }
  /**
   * A dedicated reply to a command: the message by its declared name and its fields as plain values. The command is
   * named by its delivery, else by the serial that the reply quotes, else it is the newest that awaits such a message.
   */
  | {
      type: 'report.reply';
      deliveryId?: string;
      quotedSerial?: number;
      name: string;
      fields: Record<string, unknown>;
      /** Time of the terminal's own clock in the reply, ms UTC. */
      deviceAt?: number;
      /** How coarse that time is, ms; default 1000 (JT/T 808 says whole seconds). */
      deviceStepMs?: number;
    }
  /** The terminal entered or left one of its areas (0x0200 item 0x12), by the id that it was set with. */
  | { type: 'report.crossing'; areaId: number; direction: 'in' | 'out'; deviceAt?: number }
  /** Vendor values beside a position, by name. */
  | { type: 'report.attributes'; values: Record<string, string | number | boolean | string[]>; at: number }
  /** The alarm bits that are set now, all of them. */
  | {
      type: 'report.alarms';
      alarms: { bit: number; name: string }[];
      at: number;
      place?: { lat: number; lon: number };
    }
  /** A whole upload; its bytes are in the store already. */
  | { type: 'report.media'; media: Media }
  /** Valid frame, nothing that dispatch can use: kept with its bytes, told to the dispatcher once. */
  | { type: 'report.unusable'; code: string; message: string; bytesHex: string }
  /** Found by the rules of automation from positions; `at` is the first instant of the run. */
  | {
      type: 'rule.departed' | 'rule.arrived';
      orderId: string;
      leg: number;
      at: number;
      flags?: StampFlag[];
      /** `rule.arrived`: end of the standing run, where the vehicle has left. */
      until?: number;
    }
  | { type: 'rule.stoodAtOther'; orderId: string; leg: number; at: number }
  /** The vehicle of a crew on break drove off at `at`. */
  | { type: 'rule.movedOnBreak'; at: number }
  /** Fence in the terminal (0x0200 item 0x12). */
  | { type: 'report.fence'; orderId: string; leg: number; direction: 'in' | 'out'; deviceAt?: number }
);

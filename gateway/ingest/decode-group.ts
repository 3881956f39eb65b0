/** From groups of the ingest log to reports and positions. Holds what spans groups: unfinished sub-packaged messages. */
import {
  Frame,
  Location,
  parseFrame,
  readLocation,
  readMediaPacket,
  DecodeError,
  decodeUplink,
  vendorRules,
  type HeaderRules,
} from '../../protocol/index.js';
import type { GatewayCounters } from '../counters.js';
import { translateMessage } from '../translate/message.js';
import {
  addCrossing,
  addPosition,
  offEarthInBody,
  unusable,
  type Origin,
  type Translation,
  type WireMessage,
} from '../translate/translation.js';
import { translateUplink } from '../translate/uplink.js';
import type { TransportResult } from '../session/link.js';
import { handlingOf } from '../session/uplinks.js';
import type { ClockOffsets } from './clock-offsets.js';
import { GroupCursor, GroupError } from './entry.js';
import type { PendingParts } from './pending-parts.js';

export interface DecoderOptions {
  readonly node: string;
  readonly parts: PendingParts;
  readonly counters: GatewayCounters;
  readonly offsets?: ClockOffsets;
  readonly log: { error(fields: Record<string, unknown>, message: string): void };
}

/** Entries between two looks at the time: some 50 µs. */
const entriesAtOnce = 64;

export class GroupDecoder {
  readonly #options: DecoderOptions;
  readonly #cursor = new GroupCursor();
  readonly #frame = new Frame();
  readonly #location = new Location();
  /** A reply that came in parts and is whole now. */
  #joined: (WireMessage & { vehicleId: string }) | undefined;

  constructor(options: DecoderOptions) {
    this.#options = options;
  }

  /**
   * Adds what a group says to `into`, some entries at a time: one group must be done before the next is begun. An entry
   * that cannot be read is put in quarantine, a group that cannot is logged; neither stops the reader.
   */
  *decode(sequence: number, group: Uint8Array, into: Translation): Generator<void> {
    const cursor = this.#cursor;
    try {
      cursor.open(group);
      while (cursor.next()) {
        this.#entry(sequence, into);
        if (cursor.index % entriesAtOnce === 0) yield;
      }
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
      this.#options.counters.entriesPoisoned++;
      this.#options.log.error(
        { err: error, node: this.#options.node, sequence, bytes: Buffer.from(group.subarray(0, 256)).toString('hex') },
        'a group of the ingest log cannot be read; it is kept there and skipped',
      );
    }
  }

  /** Only takes note of parts of messages that were not complete yet: after a restart. */
  recall(sequence: number, group: Uint8Array): void {
    const cursor = this.#cursor;
    try {
      cursor.open(group);
      while (cursor.next()) if (cursor.kind === 'part') this.#part(sequence);
    } catch (error) {
      if (!(error instanceof GroupError)) throw error;
    }
  }

  #entry(sequence: number, into: Translation): void {
    const cursor = this.#cursor;
    if (cursor.kind === 'frame') {
      const frame = this.#frame;
      const { bytes, start, end, receivedAt, vehicleId } = cursor;
      try {
        parseFrame(bytes, start, end, frame, this.#rules());
        if (frame.messageId === 0x0200 && readLocation(bytes, frame.bodyStart, frame.bodyEnd, this.#location)) {
          if (!addPosition(into.positions, vehicleId, receivedAt, this.#location)) {
            into.reports.push(offEarthInBody(this.#origin(sequence, frame.phone), bytes, this.#location));
          }
          if (into.alarms?.differs(vehicleId, this.#location.alarm)) {
            into.alarms.sample(this.#origin(sequence, frame.phone), cursor.edition, this.#location, into);
          }
          if (this.#location.crossingStart >= 0) {
            addCrossing(bytes, this.#location, this.#origin(sequence, frame.phone), into);
          }
          const sample = into.attributes?.sample(cursor, bytes, this.#location);
          if (sample) into.samples?.push({ ...sample, origin: this.#origin(sequence, frame.phone) });
          this.#options.offsets?.sample(vehicleId, frame, this.#location.deviceAt, receivedAt);
          return;
        }
      } catch {
        // Read again below, where it is put in quarantine.
      }
    }
    try {
      this.#other(sequence, into);
    } catch (error) {
      this.#poisoned(sequence, into, error);
    }
  }

  #other(sequence: number, into: Translation): void {
    const { kind, bytes, start, end, context, edition } = this.#cursor;
    switch (kind) {
      case 'frame': {
        const frame = parseFrame(bytes, start, end, this.#frame, this.#rules());
        translateMessage({ ...place(frame), edition }, this.#origin(sequence, frame.phone), into);
        return;
      }
      case 'part': {
        const joined = this.#part(sequence);
        if (joined === undefined) return;
        const { messageId, body } = joined;
        const whole = { ...joined, edition, bytes: body, bodyStart: 0, bodyEnd: body.length };
        // Which delivery it answers is said by the entry behind it.
        if (handlingOf(messageId) === 'solicited') this.#joined = { ...whole, vehicleId: this.#cursor.vehicleId };
        else translateMessage(whole, this.#origin(sequence, this.#frame.phone), into);
        return;
      }
      case 'receipt': {
        const frame = parseFrame(bytes, start, end, this.#frame, this.#rules());
        const origin = this.#origin(sequence, frame.phone);
        const [deliveryId, result] = context.split('\n') as [string, TransportResult];
        // No window: an item has one end, and the answer may come twice only for an item that has ended.
        into.reports.push({
          ...origin,
          dedupKey: '',
          type: 'report.receipt',
          deliveryId,
          result,
          ofApplication: false,
        });
        const answers = deliveryId;
        if (frame.messageId === 0x0001) return;
        if (frame.total === 0) return translateMessage({ ...place(frame), edition, answers }, origin, into);
        const joined = this.#joined;
        this.#joined = undefined;
        if (joined?.vehicleId === origin.vehicleId && joined.messageId === frame.messageId)
          translateMessage({ ...joined, answers }, origin, into);
        return;
      }
      case 'partReceipt':
        return;
      case 'unusable': {
        const frame = parseFrame(bytes, start, end, this.#frame, this.#rules());
        const [code, message] = splitOnce(context);
        into.reports.push(unusable(this.#origin(sequence, frame.phone), code, message, bytes, start, end));
        return;
      }
      case 'mqtt': {
        this.#uplink(this.#origin(sequence, context), bytes.subarray(start, end), into);
        return;
      }
    }
  }

  /** The gate takes MQTT payloads unread: what is no `Uplink` is found here, and kept with its bytes. */
  #uplink(origin: Origin, payload: Uint8Array, into: Translation): void {
    try {
      translateUplink(decodeUplink(payload), payload, 'mqtt', origin, into);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      into.reports.push(unusable(origin, error.code, error.message, payload, 0, payload.length));
    }
  }

  /** Undefined: those of the standard. */
  #rules(): HeaderRules | undefined {
    return this.#cursor.vendorHeader ? vendorRules : undefined;
  }

  /** @returns the whole message when this was the last of its parts, or of its packets (2011) */
  #part(sequence: number): { messageId: number; serial: number; body: Uint8Array } | undefined {
    const { bytes, start, end, receivedAt, edition } = this.#cursor;
    const { parts } = this.#options;
    const frame = parseFrame(bytes, start, end, this.#frame, this.#rules());
    const { messageId, phone } = frame;
    const joined = frame.total > 0 ? parts.add(frame, sequence, receivedAt) : undefined;
    if (frame.total > 0 && joined === undefined) return undefined;
    const { body, firstSerial: serial } = joined ?? { body: frame.body, firstSerial: frame.serial };
    // A packet may itself have come in parts.
    const packet = messageId === 0x0801 && edition === 2011 ? readMediaPacket(body) : undefined;
    if (packet === undefined) return { messageId, serial, body };
    const whole = parts.addPacket(phone, packet, sequence, receivedAt);
    return whole && { messageId, serial, body: whole };
  }

  /** What passed the session and still cannot be read is a fault of ours: logged as such, kept for a person, skipped. */
  #poisoned(sequence: number, into: Translation, error: unknown): void {
    const { bytes, start, end, kind, index, vehicleId } = this.#cursor;
    const { counters, log, node } = this.#options;
    counters.entriesPoisoned++;
    const message = error instanceof Error ? error.message : String(error);
    const code = error instanceof DecodeError ? error.code : 'internal';
    log.error(
      { err: error, node, sequence, index, kind, vehicle: vehicleId },
      'an entry of the ingest log cannot be used',
    );
    into.reports.push(unusable(this.#origin(sequence, ''), code, message, bytes, start, end));
  }

  #origin(sequence: number, phone: string): Origin {
    const { vehicleId, receivedAt, index } = this.#cursor;
    return { vehicleId, phone, receivedAt, frame: { node: this.#options.node, sequence, index } };
  }
}

function place({ messageId, serial, bytes, bodyStart, bodyEnd }: Frame) {
  return { messageId, serial, bytes, bodyStart, bodyEnd };
}

function splitOnce(text: string): [string, string] {
  const at = text.indexOf('\n');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

import { decodeDownlink, DecodeError, encodeUplink, type MqttPosition } from '../../protocol/index.js';
import type { Reading } from '../truck.js';
import type { Flash } from './options.js';
import type { Report } from './types.js';
import { positionsIn, type Outgoing, type Wire, type WireHooks } from './wire.js';

/** Positions in one message: about 60 bytes each, well below what a broker takes. */
const positionsPerBatch = 200;
/** Without a PUBACK for so long the link counts as broken: longer than every pause of a healthy broker. */
const silenceMs = 90_000;

/**
 * A terminal's side of the MQTT topics: every report is one protobuf Uplink, confirmed by the PUBACK of its publication.
 * Connecting, subscribing and the last will are the link's work.
 */
export class MqttWire implements Wire {
  readonly batchSize = positionsPerBatch;
  online = false;
  #waiting = new Map<number, { report: Report; sentAt: number }>();
  #out: Outgoing[] = [];
  #close: string | undefined;

  constructor(
    private readonly hooks: WireHooks,
    private readonly flash: Flash,
  ) {}

  get waitingPositions(): number {
    let count = 0;
    for (const { report } of this.#waiting.values()) count += positionsIn(report);
    return count;
  }

  get waitingBusiness(): number {
    let count = 0;
    for (const { report } of this.#waiting.values()) if (positionsIn(report) === 0) count += 1;
    return count;
  }

  connected(now: number): void {
    this.online = true;
    this.#out = [];
    this.hooks.online(now);
  }

  closed(): Report[] {
    this.online = false;
    const back = [...this.#waiting.values()].map((one) => one.report);
    this.#waiting.clear();
    this.#out = [];
    this.#close = undefined;
    return back.sort((a, b) => a.id - b.id);
  }

  restart(): void {
    // Nothing is numbered here but the Uplinks, and their counter is in flash.
  }

  /** One message of the `down` topic. */
  received(bytes: Uint8Array, now: number): void {
    try {
      this.hooks.app(decodeDownlink(bytes), now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.hooks.event({ at: now, type: 'refusedFrame', code: error.code });
    }
  }

  submit(report: Report, now: number): void {
    this.#waiting.set(report.id, { report, sentAt: now });
    this.#out.push({ bytes: this.#encode(report, now), reportId: report.id });
  }

  acknowledged(reportId: number, now: number): void {
    const waiting = this.#waiting.get(reportId);
    if (waiting === undefined) return;
    this.#waiting.delete(reportId);
    this.hooks.confirmed(waiting.report, 0, now);
  }

  tick(now: number): void {
    for (const { sentAt } of this.#waiting.values()) {
      if (now - sentAt >= silenceMs) this.#close ??= 'no answer';
      return;
    }
  }

  nextAt(): number {
    for (const { sentAt } of this.#waiting.values()) return sentAt + silenceMs;
    return Infinity;
  }

  take(): Outgoing[] {
    const out = this.#out;
    if (out.length > 0) this.#out = [];
    return out;
  }

  takeClose(): string | undefined {
    const reason = this.#close;
    this.#close = undefined;
    return reason;
  }

  #encode(report: Report, now: number): Uint8Array {
    if (report.kind === 'app') return report.bytes;
    const items = report.kind === 'batch' ? report.items : report.kind === 'position' ? [report] : [];
    this.flash.sequence += 1;
    return encodeUplink({
      sequence: this.flash.sequence,
      sentAtMs: now + this.flash.clockOffsetMs,
      body: { kind: 'positions', positions: items.map((one) => mqttPosition(one, this.flash)) },
    });
  }
}

/** A reading as terminal.proto says it, by the terminal's clock. */
export function mqttPosition(
  { reading, alarm }: { reading: Reading; alarm: number },
  { clockOffsetMs }: Pick<Flash, 'clockOffsetMs'>,
): MqttPosition {
  return {
    atMs: reading.at + clockOffsetMs,
    lat: reading.lat,
    lon: reading.lon,
    altitudeM: reading.altitudeM,
    speedKmh: reading.speedKmh,
    headingDeg: reading.headingDeg,
    mileageKm: reading.odometerKm,
    alarm: alarm >>> 0,
    status: (reading.ignition ? 1 : 0) | (reading.fix ? 2 : 0),
    satellites: reading.satellites,
  };
}

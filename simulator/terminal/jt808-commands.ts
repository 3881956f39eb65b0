import { decodeDownlink, isPassthrough, messages, unwrapPassthrough, type Body } from '../../protocol/index.js';
import type { Reading } from '../truck.js';
import { locationBody, readBody } from './codec.js';
import {
  attributesOf,
  factoryParameters,
  HEARTBEAT,
  numberOf,
  parameterAnswer,
  picture,
  REPORT_INTERVAL,
  setParameter,
} from './device.js';
import type { Jt808Exchange } from './jt808-exchange.js';
import type { Flash, Jt808Options } from './options.js';
import type { WireHooks } from './wire.js';

/** Photos that one command may order: what a terminal keeps in memory. */
const mostPhotos = 10;

/** What a terminal does when the platform asks: shows, answers, sets, takes photos. */
export class Jt808Commands {
  #nextMediaId = 1;

  constructor(
    private readonly options: Jt808Options,
    private readonly hooks: WireHooks,
    private readonly flash: Flash,
    private readonly exchange: Jt808Exchange,
    /** Of the device that is in the truck now. */
    private readonly terminalId: () => string,
  ) {}

  /** Does what the platform asks. Gives the answer's bytes, so that a repeated command gets the same. */
  run(messageId: number, serial: number, body: Uint8Array, now: number): Uint8Array | undefined {
    const { edition } = this.options;
    const acknowledge = (result: number): Uint8Array => this.exchange.acknowledge(messageId, serial, result, now);
    switch (messageId) {
      case messages.text.id: {
        const { flags, text } = readBody('text', body, edition);
        const urgent = edition === 2019 ? (flags & 3) === 2 : (flags & 1) === 1;
        return acknowledge(this.hooks.text(text, urgent, now) ? 0 : 3);
      }
      case messages.eventList.id: {
        const { setting, items } = readBody('eventList', body, edition);
        const list = (items ?? []).map((item) => ({ id: item.id, text: item.content ?? '' }));
        return acknowledge(this.hooks.list(setting, list, now) ? 0 : 3);
      }
      case messages.question.id: {
        const { question, answers } = readBody('question', body, edition);
        return acknowledge(this.hooks.question(serial, question, answers, now) ? 0 : 3);
      }
      case messages.passthroughDown.id:
        return this.#passthrough(readBody('passthroughDown', body, edition), acknowledge, now);
      case messages.locationQuery.id:
        return this.#position(serial, acknowledge, now);
      case messages.queryParameters.id:
        return this.exchange.answer('parameters', parameterAnswer(this.#parameters, serial), now);
      case messages.querySomeParameters.id: {
        const { ids } = readBody('querySomeParameters', body, edition);
        return this.exchange.answer('parameters', parameterAnswer(this.#parameters, serial, ids), now);
      }
      case messages.queryAttributes.id: {
        const { maker, model, imei } = this.options;
        return this.exchange.answer('attributes', attributesOf(maker, model, this.terminalId(), imei), now);
      }
      case messages.shoot.id:
        return this.#shoot(serial, readBody('shoot', body, edition), acknowledge, now);
      default:
        return this.#deviceCommand(messageId, body, acknowledge, now);
    }
  }

  #passthrough(
    passthrough: { type: number; content: Uint8Array },
    acknowledge: (result: number) => Uint8Array,
    now: number,
  ): Uint8Array {
    if (!isPassthrough(passthrough.type, passthrough.content)) return acknowledge(3);
    const downlink = decodeDownlink(unwrapPassthrough(passthrough.content));
    const answer = acknowledge(0);
    this.hooks.app(downlink, now);
    return answer;
  }

  #position(serial: number, acknowledge: (result: number) => Uint8Array, now: number): Uint8Array {
    const last = this.hooks.lastReport();
    if (last?.kind !== 'position') return acknowledge(1);
    const { edition } = this.options;
    const location = locationBody(last.reading, last.alarm, this.flash.clockOffsetMs, edition);
    return this.exchange.answer(
      'locationAnswer',
      edition === 2011 ? { location } : { replySerial: serial, location },
      now,
    );
  }

  /** Takes photos and uploads them; video is not supported. The answer comes first: the upload takes its time. */
  #shoot(serial: number, order: Body<'shoot'>, acknowledge: (result: number) => Uint8Array, now: number): Uint8Array {
    const { edition } = this.options;
    if (order.command === 0 || order.command > mostPhotos) return acknowledge(order.command === 0 ? 0 : 3);
    const mediaIds = Array.from({ length: order.command }, () => this.#nextMediaId++);
    // 2011 has no 0x0805.
    const answer =
      edition === 2011
        ? acknowledge(0)
        : this.exchange.answer('shootAnswer', { replySerial: serial, result: 0, mediaIds }, now);
    if (order.save === 0) for (const mediaId of mediaIds) this.#upload(mediaId, order.channel, now);
    this.hooks.event({ at: now, type: 'command', messageId: messages.shoot.id, result: 0 });
    return answer;
  }

  #upload(mediaId: number, channel: number, now: number): void {
    const last = this.hooks.lastReport();
    const { edition } = this.options;
    const data = picture(now);
    const head = { mediaId, type: 0, format: 0, event: 0, channel, data };
    if (edition === 2011) return this.exchange.send('mediaData', head, now);
    const { reading, alarm } = last?.kind === 'position' ? last : { reading: nowhere(now), alarm: 0 };
    const location = locationBody(reading, alarm, this.flash.clockOffsetMs, edition);
    this.exchange.send('mediaData', { ...head, location }, now);
  }

  #deviceCommand(
    messageId: number,
    body: Uint8Array,
    acknowledge: (result: number) => Uint8Array,
    now: number,
  ): Uint8Array {
    let result = this.options.confirmsEverything === true ? 0 : 3;
    if (messageId === 0x8103) {
      const { parameters } = readBody('setParameters', body, this.options.edition);
      const kept = parameters.map(({ id, value }) => this.#setParameter(id, value));
      result = kept.includes(false) ? 1 : 0;
    } else if (messageId === 0x8105 && body[0] === 4) {
      result = 0;
      this.hooks.restart(now);
    } else if (messageId === 0x8202 || messageId === 0x8203 || messageId === 0x8204) result = 0;
    this.hooks.event({ at: now, type: 'command', messageId, result });
    return acknowledge(result);
  }

  get #parameters(): Map<number, Uint8Array> {
    return (this.flash.parameters ??= factoryParameters(this.options.plate, this.options.edition));
  }

  /** Kept, and acted on where it is the period of heartbeats or of reports. */
  #setParameter(id: number, value: Uint8Array): boolean {
    const seconds = numberOf(value);
    if (seconds !== undefined && seconds >= 1 && seconds <= 86_400) {
      if (id === HEARTBEAT) this.flash.heartbeatMs = seconds * 1000;
      if (id === REPORT_INTERVAL) this.hooks.setReportInterval(seconds * 1000);
    }
    return setParameter(this.#parameters, id, value);
  }
}

/** A receiver that has not found its place yet. */
function nowhere(at: number): Reading {
  const still = { speedKmh: 0, headingDeg: 0, ignition: false };
  return { at, fix: false, lat: 0, lon: 0, altitudeM: 0, ...still, odometerKm: 0, fuelL: 0, satellites: 0 };
}

import {
  decodeDownlink,
  DecodeError,
  encodeBody,
  encodeFrame,
  FrameSplitter,
  isPassthrough,
  limits,
  messages,
  passthroughType,
  phoneToRaw,
  Reassembler,
  splitBody,
  unwrapPassthrough,
  wrapPassthrough,
  type Body,
  type Edition,
  type Frame,
  type MessageName,
} from '../../protocol/index.js';
import { dropOldest } from './app.js';
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
import type { Flash } from './terminal.js';
import type { Report } from './types.js';
import { positionsIn, type Outgoing, type Wire, type WireHooks } from './wire.js';

export interface Jt808Options {
  edition: Edition;
  phone: string;
  plate: string;
  maker: string;
  model: string;
  terminalId: string;
  imei: string;
  /** First wait for an answer, ms of gateway time (parameter 0x0002). Default 10 s. */
  retryMs?: number;
  /** Answers unknown commands with 0 although nothing was done, as some firmware does. Default: result 3. */
  confirmsEverything?: boolean;
}

/** Waits between transmissions in units of T: send, T, again, 2T, again, 6T, then the link counts as broken (2.8). */
const waits = [1, 2, 6];
/** After a refused registration. */
const registerAgainMs = 60_000;
/** Duplicates are recognised among so many downlinks. */
const rememberedDownlinks = 64;
/** Body bytes of one part of a long message. */
const bytesPerPart = 900;
/** Photos that one command may order: what a terminal keeps in memory. */
const mostPhotos = 10;
/** Locations in one 0x0704: each takes up to 48 bytes of the 1023. */
const locationsPerBatch = 20;

interface Pending {
  bytes: Uint8Array;
  messageId: number;
  report?: Report;
  tries: number;
  nextAt: number;
}

/** A terminal's side of JT/T 808 over one byte stream: login, heartbeats, confirmations, repetitions, commands. */
export class Jt808Wire implements Wire {
  readonly batchSize: number;
  #state: 'down' | 'registering' | 'authenticating' | 'online' = 'down';
  #serial = 0;
  #pending = new Map<number, Pending>();
  #out: Outgoing[] = [];
  #close: string | undefined;
  #splitter = new FrameSplitter();
  #reassembler = new Reassembler();
  #answered = new Map<string, Uint8Array>();
  #lastSentAt = 0;
  #registerAgainAt = Infinity;
  /** Devices that were in this truck before. */
  #device = 0;
  #nextMediaId = 1;
  readonly #phoneRaw: Uint8Array;

  constructor(
    readonly options: Jt808Options,
    private readonly hooks: WireHooks,
    private readonly flash: Flash,
  ) {
    this.#phoneRaw = phoneToRaw(options.phone, options.edition === 2019 ? 10 : 6);
    // 2011 has no 0x0704: its terminals send old positions one by one.
    this.batchSize = options.edition === 2011 ? 0 : locationsPerBatch;
  }

  get online(): boolean {
    return this.#state === 'online';
  }

  get waitingPositions(): number {
    let count = 0;
    for (const { report } of this.#pending.values()) if (report !== undefined) count += positionsIn(report);
    return count;
  }

  get waitingBusiness(): number {
    let count = 0;
    for (const { report } of this.#pending.values()) if (report !== undefined && positionsIn(report) === 0) count += 1;
    return count;
  }

  connected(now: number): void {
    this.#splitter = new FrameSplitter();
    this.#reassembler = new Reassembler();
    this.#out = [];
    this.#close = undefined;
    // The platform counts its frames anew: the same serial and bytes are now another message.
    this.#answered.clear();
    this.#lastSentAt = now;
    if (this.flash.authCode === undefined) this.#register(now);
    else this.#authenticate(now);
  }

  closed(): Report[] {
    const back = [...this.#pending.values()].flatMap((one) => one.report ?? []);
    this.#pending.clear();
    this.#out = [];
    this.#state = 'down';
    this.#close = undefined;
    this.#registerAgainAt = Infinity;
    return back.sort((a, b) => a.id - b.id);
  }

  restart(): void {
    this.#serial = 0;
  }

  swapped(): void {
    this.#device += 1;
  }

  received(bytes: Uint8Array, now: number): void {
    if (this.#state === 'down') return;
    this.#splitter.push(bytes, {
      frame: (frame) => this.#frame(frame, now),
      refused: (error) => this.hooks.event({ at: now, type: 'refusedFrame', code: error.code }),
    });
  }

  submit(report: Report, now: number): void {
    const { edition } = this.options;
    switch (report.kind) {
      case 'position':
        return this.#send(
          'location',
          locationBody(report.reading, report.alarm, this.flash.clockOffsetMs, edition),
          now,
          report,
        );
      case 'batch': {
        const locations = report.items.map((one) =>
          locationBody(one.reading, one.alarm, this.flash.clockOffsetMs, edition),
        );
        const body = { count: locations.length, type: 1, locations, trailing: new Uint8Array(0) };
        return this.#send('locationBatch', body, now, report);
      }
      case 'menuEvent':
        return this.#send('eventReport', { id: report.eventId }, now, report);
      case 'answer':
        return this.#send(
          'questionAnswer',
          { replySerial: report.replySerial, answerId: report.answerId },
          now,
          report,
        );
      case 'app':
        return this.#send(
          'passthroughUp',
          { type: passthroughType, content: wrapPassthrough(report.bytes, limits.passthroughListBytes) },
          now,
          report,
        );
    }
  }

  tick(now: number): void {
    if (this.#state === 'down') return;
    if (now >= this.#registerAgainAt) {
      this.#registerAgainAt = Infinity;
      this.#register(now);
    }
    for (const one of this.#pending.values()) {
      if (now < one.nextAt) continue;
      if (one.tries >= waits.length) {
        this.#close ??= 'no answer';
        return;
      }
      one.nextAt = now + waits[one.tries]! * this.#retryMs;
      one.tries += 1;
      this.#put(one.bytes, now);
    }
    if (this.#state === 'online' && now - this.#lastSentAt >= this.flash.heartbeatMs) this.#send('heartbeat', {}, now);
  }

  nextAt(): number {
    if (this.#state === 'down') return Infinity;
    let at = this.#registerAgainAt;
    if (this.#state === 'online') at = Math.min(at, this.#lastSentAt + this.flash.heartbeatMs);
    for (const one of this.#pending.values()) at = Math.min(at, one.nextAt);
    return at;
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

  get #retryMs(): number {
    return this.options.retryMs ?? 10_000;
  }

  get #terminalId(): string {
    const { terminalId } = this.options;
    return this.#device === 0 ? terminalId : `X${this.#device}${terminalId.slice(2)}`;
  }

  #register(now: number): void {
    this.#state = 'registering';
    const { maker, model, plate } = this.options;
    const terminalId = this.#terminalId;
    this.#send(
      'register',
      { province: 0, city: 0, maker, model, terminalId, plateColour: plate === '' ? 0 : 2, plate },
      now,
    );
  }

  #authenticate(now: number): void {
    this.#state = 'authenticating';
    const token = this.flash.authCode!;
    this.#send('authenticate', { token, imei: this.options.imei, software: 'sim-1' }, now);
  }

  /** Sends something that wants an answer, and keeps it until that comes. */
  #send<K extends MessageName>(name: K, body: Body<K>, now: number, report?: Report): void {
    const pieces = splitBody(encodeBody(name, this.options.edition, body), bytesPerPart);
    pieces.forEach((piece, i) => {
      const serial = this.#nextSerial();
      const last = i === pieces.length - 1;
      const bytes = this.#frameOf(name, serial, piece, pieces.length, i + 1);
      // Each part is confirmed on its own; with the last one the report is there.
      this.#pending.set(serial, {
        bytes,
        messageId: messages[name].id,
        tries: 1,
        nextAt: now + waits[0]! * this.#retryMs,
        ...(report === undefined || !last ? {} : { report }),
      });
      this.#put(bytes, now);
    });
  }

  /** Sends an answer to a downlink; nobody answers that. */
  #answer<K extends MessageName>(name: K, body: Body<K>, now: number): Uint8Array {
    const bytes = this.#encode(name, this.#nextSerial(), body);
    this.#put(bytes, now);
    return bytes;
  }

  #encode<K extends MessageName>(name: K, serial: number, body: Body<K>): Uint8Array {
    return this.#frameOf(name, serial, encodeBody(name, this.options.edition, body), 1, 1);
  }

  #frameOf(name: MessageName, serial: number, body: Uint8Array, total: number, index: number): Uint8Array {
    const { edition } = this.options;
    const identity = {
      versionFlag: edition === 2019,
      protocolVersion: edition === 2019 ? 1 : 0,
      phoneRaw: this.#phoneRaw,
    };
    const parts = total > 1 ? { total, index } : {};
    return encodeFrame({ ...identity, messageId: messages[name].id, serial, body, ...parts });
  }

  #nextSerial(): number {
    const serial = this.#serial;
    this.#serial = (this.#serial + 1) & 0xffff;
    return serial;
  }

  #put(bytes: Uint8Array, now: number): void {
    this.#lastSentAt = now;
    this.#out.push({ bytes });
  }

  #frame(frame: Frame, now: number): void {
    const { messageId, serial } = frame;
    if (!frame.phoneEquals(this.#phoneRaw)) {
      this.hooks.event({ at: now, type: 'refusedFrame', code: 'foreignPhone' });
      return;
    }
    let body: Uint8Array = frame.body;
    if (frame.total > 0) {
      const part = this.#reassembler.add(frame, now);
      if (part.state !== 'complete') return;
      body = part.message.body;
    }
    try {
      this.#message(messageId, serial, body, now);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.hooks.event({ at: now, type: 'refusedFrame', code: error.code });
      if (messageId !== 0x8001 && messageId !== 0x8100) this.#acknowledge(messageId, serial, 2, now);
    }
  }

  #message(messageId: number, serial: number, body: Uint8Array, now: number): void {
    const { edition } = this.options;
    if (messageId === messages.mediaAnswer.id) return this.#uploaded(readBody('mediaAnswer', body, edition));
    if (messageId === 0x8001) return this.#confirmed(readBody('platformAck', body, edition), now);
    if (messageId === 0x8100) return this.#registered(readBody('registerAnswer', body, edition), now);
    const key = `${messageId}:${serial}:${Buffer.from(body).toString('latin1')}`;
    const earlier = this.#answered.get(key);
    if (earlier !== undefined) {
      this.#put(earlier, now);
      return;
    }
    const answer = this.#command(messageId, serial, body, now);
    if (answer === undefined) return;
    this.#answered.set(key, answer);
    dropOldest(this.#answered, rememberedDownlinks);
  }

  #confirmed(ack: { replySerial: number; replyId: number; result: number }, now: number): void {
    const pending = this.#pending.get(ack.replySerial);
    if (pending === undefined || pending.messageId !== ack.replyId) return;
    this.#pending.delete(ack.replySerial);
    if (pending.messageId === messages.authenticate.id) {
      this.#authenticated(ack.result, now);
      return;
    }
    if (pending.report === undefined) return;
    this.hooks.confirmed(pending.report, ack.result, now);
  }

  /** The platform has the whole upload: no part of it waits any more. What it asks for again is repeated in its time. */
  #uploaded({ missing = [] }: Body<'mediaAnswer'>): void {
    if (missing.length > 0) return;
    for (const [serial, { messageId }] of this.#pending) {
      if (messageId === messages.mediaData.id) this.#pending.delete(serial);
    }
  }

  #authenticated(result: number, now: number): void {
    if (result === 0) {
      this.#state = 'online';
      this.hooks.online(now);
      return;
    }
    this.hooks.event({ at: now, type: 'refused', what: 'authentication', result });
    delete this.flash.authCode;
    this.#register(now);
  }

  #registered(answer: { replySerial: number; result: number; token?: string | undefined }, now: number): void {
    if (this.#state !== 'registering' || this.#pending.get(answer.replySerial)?.messageId !== messages.register.id)
      return;
    this.#pending.delete(answer.replySerial);
    if (answer.result === 0 && answer.token !== undefined) {
      this.flash.authCode = answer.token;
      this.hooks.event({ at: now, type: 'registered' });
      this.#authenticate(now);
      return;
    }
    this.hooks.event({ at: now, type: 'refused', what: 'registration', result: answer.result });
    this.#registerAgainAt = now + registerAgainMs;
  }

  /** Does what the platform asks. Gives the answer's bytes, so that a repeated command gets the same. */
  #command(messageId: number, serial: number, body: Uint8Array, now: number): Uint8Array | undefined {
    const { edition } = this.options;
    const acknowledge = (result: number): Uint8Array => this.#acknowledge(messageId, serial, result, now);
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
        return this.#answer('parameters', parameterAnswer(this.#parameters, serial), now);
      case messages.querySomeParameters.id: {
        const { ids } = readBody('querySomeParameters', body, edition);
        return this.#answer('parameters', parameterAnswer(this.#parameters, serial, ids), now);
      }
      case messages.queryAttributes.id: {
        const { maker, model, imei } = this.options;
        return this.#answer('attributes', attributesOf(maker, model, this.#terminalId, imei), now);
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
    return this.#answer('locationAnswer', edition === 2011 ? { location } : { replySerial: serial, location }, now);
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
        : this.#answer('shootAnswer', { replySerial: serial, result: 0, mediaIds }, now);
    if (order.save === 0) for (const mediaId of mediaIds) this.#upload(mediaId, order.channel, now);
    this.hooks.event({ at: now, type: 'command', messageId: messages.shoot.id, result: 0 });
    return answer;
  }

  #upload(mediaId: number, channel: number, now: number): void {
    const last = this.hooks.lastReport();
    const { edition } = this.options;
    const data = picture(now);
    const head = { mediaId, type: 0, format: 0, event: 0, channel, data };
    if (last?.kind !== 'position' || edition === 2011) return this.#send('mediaData', head, now);
    const location = locationBody(last.reading, last.alarm, this.flash.clockOffsetMs, edition);
    this.#send('mediaData', { ...head, location }, now);
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

  #acknowledge(messageId: number, serial: number, result: number, now: number): Uint8Array {
    return this.#answer('terminalAck', { replySerial: serial, replyId: messageId, result }, now);
  }
}

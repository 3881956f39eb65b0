import {
  DecodeError,
  FrameSplitter,
  limits,
  messages,
  passthroughType,
  Reassembler,
  wrapPassthrough,
  type Body,
  type Frame,
} from '../../protocol/index.js';
import { dropOldest } from './app.js';
import { locationBody, readBody } from './codec.js';
import { Jt808Commands } from './jt808-commands.js';
import { Jt808Exchange } from './jt808-exchange.js';
import type { Flash, Jt808Options } from './options.js';
import type { Report } from './types.js';
import type { Outgoing, Wire, WireHooks } from './wire.js';

/** After a refused registration. */
const registerAgainMs = 60_000;
/** Duplicates are recognised among so many downlinks. */
const rememberedDownlinks = 64;
/** Locations in one 0x0704: each takes up to 48 bytes of the 1023. */
const locationsPerBatch = 20;

/** A terminal's side of JT/T 808 over one byte stream: login, heartbeats, confirmations, repetitions, commands. */
export class Jt808Wire implements Wire {
  readonly batchSize: number;
  #state: 'down' | 'registering' | 'authenticating' | 'online' = 'down';
  #close: string | undefined;
  #splitter = new FrameSplitter();
  #reassembler = new Reassembler();
  #answered = new Map<string, Uint8Array>();
  #registerAgainAt = Infinity;
  /** Devices that were in this truck before. */
  #device = 0;
  readonly #exchange: Jt808Exchange;
  readonly #commands: Jt808Commands;

  constructor(
    readonly options: Jt808Options,
    private readonly hooks: WireHooks,
    private readonly flash: Flash,
  ) {
    this.#exchange = new Jt808Exchange(options);
    this.#commands = new Jt808Commands(options, hooks, flash, this.#exchange, () => this.#terminalId);
    // 2011 has no 0x0704: its terminals send old positions one by one.
    this.batchSize = options.edition === 2011 ? 0 : locationsPerBatch;
  }

  get online(): boolean {
    return this.#state === 'online';
  }

  get waitingPositions(): number {
    return this.#exchange.waitingPositions;
  }

  get waitingBusiness(): number {
    return this.#exchange.waitingBusiness;
  }

  connected(now: number): void {
    this.#splitter = new FrameSplitter();
    this.#reassembler = new Reassembler();
    this.#exchange.opened(now);
    this.#close = undefined;
    // The platform counts its frames anew: the same serial and bytes are now another message.
    this.#answered.clear();
    if (this.flash.authCode === undefined) this.#register(now);
    else this.#authenticate(now);
  }

  closed(): Report[] {
    this.#state = 'down';
    this.#close = undefined;
    this.#registerAgainAt = Infinity;
    return this.#exchange.closed();
  }

  restart(): void {
    this.#exchange.restart();
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
        return this.#exchange.send(
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
        return this.#exchange.send('locationBatch', body, now, report);
      }
      case 'menuEvent':
        return this.#exchange.send('eventReport', { id: report.eventId }, now, report);
      case 'answer':
        return this.#exchange.send(
          'questionAnswer',
          { replySerial: report.replySerial, answerId: report.answerId },
          now,
          report,
        );
      case 'app':
        return this.#exchange.send(
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
    if (!this.#exchange.repeat(now)) {
      this.#close ??= 'no answer';
      return;
    }
    if (this.#state === 'online' && now - this.#exchange.lastSentAt >= this.flash.heartbeatMs) {
      this.#exchange.send('heartbeat', {}, now);
    }
  }

  nextAt(): number {
    if (this.#state === 'down') return Infinity;
    const heartbeatAt = this.#state === 'online' ? this.#exchange.lastSentAt + this.flash.heartbeatMs : Infinity;
    return Math.min(this.#registerAgainAt, heartbeatAt, this.#exchange.nextAt());
  }

  take(): Outgoing[] {
    return this.#exchange.take();
  }

  takeClose(): string | undefined {
    const reason = this.#close;
    this.#close = undefined;
    return reason;
  }

  get #terminalId(): string {
    const { terminalId } = this.options;
    return this.#device === 0 ? terminalId : `X${this.#device}${terminalId.slice(2)}`;
  }

  #register(now: number): void {
    this.#state = 'registering';
    const { maker, model, plate } = this.options;
    const terminalId = this.#terminalId;
    this.#exchange.send(
      'register',
      { province: 0, city: 0, maker, model, terminalId, plateColour: plate === '' ? 0 : 2, plate },
      now,
    );
  }

  #authenticate(now: number): void {
    this.#state = 'authenticating';
    const token = this.flash.authCode!;
    this.#exchange.send('authenticate', { token, imei: this.options.imei, software: 'sim-1' }, now);
  }

  #frame(frame: Frame, now: number): void {
    const { messageId, serial } = frame;
    if (!frame.phoneEquals(this.#exchange.phoneRaw)) {
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
      if (messageId !== 0x8001 && messageId !== 0x8100) this.#exchange.acknowledge(messageId, serial, 2, now);
    }
  }

  #message(messageId: number, serial: number, body: Uint8Array, now: number): void {
    const { edition } = this.options;
    if (messageId === messages.mediaAnswer.id) return this.#uploaded(readBody('mediaAnswer', body, edition));
    if (messageId === 0x8001) return this.#confirmed(readBody('platformAck', body, edition), now);
    if (messageId === 0x8100) return this.#registered(readBody('registerAnswer', body, edition), now);
    if (messageId === messages.resendUplink.id) {
      const { firstSerial, parts } = readBody('resendUplink', body, edition);
      return this.#exchange.resend(firstSerial, parts, now);
    }
    const key = `${messageId}:${serial}:${Buffer.from(body).toString('latin1')}`;
    const earlier = this.#answered.get(key);
    if (earlier !== undefined) {
      this.#exchange.put(earlier, now);
      return;
    }
    const answer = this.#commands.run(messageId, serial, body, now);
    if (answer === undefined) return;
    this.#answered.set(key, answer);
    dropOldest(this.#answered, rememberedDownlinks);
  }

  #confirmed(ack: { replySerial: number; replyId: number; result: number }, now: number): void {
    const answered = this.#exchange.answered(ack.replySerial, ack.replyId, ack.result);
    if (answered === undefined) return;
    const { messageId, report, result } = answered;
    if (messageId === messages.authenticate.id) {
      this.#authenticated(result, now);
      return;
    }
    if (report !== undefined) this.hooks.confirmed(report, result, now);
  }

  /** The platform has the whole upload: no part of it waits any more. What it asks for again is repeated in its time. */
  #uploaded({ missing = [] }: Body<'mediaAnswer'>): void {
    if (missing.length === 0) this.#exchange.forget(messages.mediaData.id);
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
    if (this.#state !== 'registering') return;
    if (this.#exchange.answered(answer.replySerial, messages.register.id) === undefined) return;
    if (answer.result === 0 && answer.token !== undefined) {
      this.flash.authCode = answer.token;
      this.hooks.event({ at: now, type: 'registered' });
      this.#authenticate(now);
      return;
    }
    this.hooks.event({ at: now, type: 'refused', what: 'registration', result: answer.result });
    this.#registerAgainAt = now + registerAgainMs;
  }
}

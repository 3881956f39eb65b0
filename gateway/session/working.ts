/**
 * What a session keeps only while its terminal is talking: most terminals say something for a moment every ten seconds or
 * more, and most of their memory would be for the silence between.
 */
import { vehiclePrefix } from '../ingest/entry.js';
import { Gate } from './gate.js';
import { HeaderForms } from './header-forms.js';
import { Inbox, type InboxHost } from './inbox.js';

/** Silence after which it is given back, ms: long enough that a terminal in full flow never makes it anew. */
export const restAfterMs = 2_000;

export class Working {
  readonly gate = new Gate();
  readonly forms: HeaderForms;
  readonly inbox: Inbox;
  #vehicleId = '';
  #vehicle: Uint8Array | undefined;

  constructor(host: InboxHost, form: string) {
    this.forms = new HeaderForms(form);
    this.inbox = new Inbox(host);
  }

  /** As the log's entries begin. */
  vehicle(id: string): Uint8Array {
    if (this.#vehicle === undefined || this.#vehicleId !== id) {
      this.#vehicleId = id;
      this.#vehicle = vehiclePrefix(id);
    }
    return this.#vehicle;
  }

  /** True when nothing in it is waited for. */
  get isDone(): boolean {
    return this.gate.isEmpty && this.inbox.nextMs() === Infinity;
  }
}

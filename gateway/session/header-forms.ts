/** The header forms that a connection's frames come in: an answer repeats the form of its frame (reference 0.1). */
import type { Frame, Identity } from '../../protocol/index.js';

/** What fits beside the result in a pending answer. Terminals use one form, some two. */
const formsMax = 15;

export class HeaderForms {
  readonly #forms: Identity[] = [];
  /** Form of the newest frame, and its number. */
  current: Identity | undefined;
  index = 0;

  /** @param packed of {@link packForm}: the form of the frame before; empty: there was none */
  constructor(packed: string) {
    if (packed === '') return;
    this.current = unpackForm(packed);
    this.#forms.push(this.current);
  }

  /** True when the frame has the form of the one before it. The common case; allocates nothing. */
  isCurrent(frame: Frame): boolean {
    return this.current !== undefined && frame.identity(this.current) === this.current;
  }

  /** Makes the frame's form the current one. */
  take(frame: Frame): void {
    const form = frame.identity(this.current);
    let index = this.#forms.findIndex((known) => sameForm(known, form));
    // A terminal with ever new forms gets its late answers in the newest.
    if (index < 0) index = this.#forms.length < formsMax ? this.#forms.length : formsMax - 1;
    this.#forms[index] = form;
    this.current = form;
    this.index = index;
  }

  at(index: number): Identity {
    return this.#forms[index]!;
  }
}

function sameForm(a: Identity, b: Identity): boolean {
  return (
    a.versionFlag === b.versionFlag &&
    a.protocolVersion === b.protocolVersion &&
    Buffer.compare(a.phoneRaw, b.phoneRaw) === 0
  );
}

/** A form as a short string, a tenth of the object's memory: what a silent connection keeps of it. */
export function packForm({ versionFlag, protocolVersion, phoneRaw }: Identity): string {
  return String.fromCharCode(versionFlag ? 1 : 0, protocolVersion, ...phoneRaw);
}

/** @param packed of {@link packForm} */
export function unpackForm(packed: string): Identity {
  const bytes = Buffer.from(packed, 'latin1');
  return { versionFlag: bytes[0] === 1, protocolVersion: bytes[1]!, phoneRaw: bytes.subarray(2) };
}

import { FrameSplitter } from '../../../protocol/index.js';
import { frameOf, type TerminalForm } from './frames.js';

/** Header and body of a wire frame, as the ingest log holds it. */
export function contentOf(form: TerminalForm, messageId: number, serial: number, body: Uint8Array): Uint8Array {
  let found: Uint8Array | undefined;
  new FrameSplitter().push(frameOf(form, messageId, serial, body), {
    frame: (frame) => (found = frame.copyContent()),
    refused: (error) => {
      throw error;
    },
  });
  return found!;
}

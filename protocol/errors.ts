/**
 * What a peer got wrong. One class for everything that bytes from outside can make fail, so that callers can tell
 * "their fault" (this) from "ours" (any other error, which is a bug and is not caught).
 */
export type DecodeErrorCode =
  /** The bytes end before the field does. */
  | 'truncated'
  /** Bytes are left where the declared field ends. */
  | 'trailing'
  /** A value that the field cannot hold or the standard excludes. */
  | 'value'
  /** Fewer bytes than the smallest header. */
  | 'too_short'
  /** More bytes without a closing flag than any frame can have. */
  | 'too_long'
  /** The XOR over header, body and checksum is not zero. */
  | 'checksum'
  /** The header does not fit into the frame. */
  | 'header'
  /** The declared body length is longer than the body that is there. */
  | 'length'
  /** The bytes end without a closing flag. */
  | 'unterminated'
  /** The body is encrypted; its content cannot be read. */
  | 'encrypted'
  /** Not a protobuf message of this schema, or without its required parts. */
  | 'protobuf'
  /** Not a Linecrew passthrough envelope. */
  | 'envelope'
  /** Compressed data that does not inflate, or inflates beyond the limit. */
  | 'compression';

/**
 * A wire error: `code` is stable and may be used in metrics and tests, `offset` is the byte where it was noticed,
 * counted from the start of what the caller passed in.
 */
export class DecodeError extends Error {
  override readonly name = 'DecodeError';

  constructor(
    readonly code: DecodeErrorCode,
    readonly offset: number,
    detail: string,
  ) {
    super(`${detail} (${code} at byte ${offset})`);
  }
}

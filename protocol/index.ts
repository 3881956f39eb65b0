/** Linecrew's codecs: bytes in, messages out, and back. No sockets, no clock. */
export { DecodeError, type DecodeErrorCode } from './errors.js';
export { limits } from './limits.js';
export { fromHex, toHex } from './bytes/hex.js';
export { decodeText, encodeText, truncateText } from './bytes/gb18030.js';
export { detectEdition, editions, isBcd, type Edition } from './jt808/edition.js';
export {
  Frame,
  parseFrame,
  phoneText,
  phoneToRaw,
  standardRules,
  vendorRules,
  type FrameWarning,
  type HeaderRules,
  type Identity,
} from './jt808/frame.js';
export { FrameRefusal, FrameSplitter, type FrameSink, type SplitterOptions } from './jt808/splitter.js';
export { CodeMask, maskCode } from './jt808/code-mask.js';
export { AckWriter, FrameWriter, encodeFrame, largestBodyBytes, splitBody, type FrameSpec } from './jt808/writer.js';
export {
  Reassembler,
  type MissingParts,
  type PartResult,
  type Reassembled,
  type ReassemblerLimits,
} from './jt808/reassembly.js';
export { decodeDownlink, decodeUplink, encodeDownlink, encodeUplink } from './mqtt/codec.js';
export type * from './mqtt/messages.js';
export { isPassthrough, passthroughType, unwrapPassthrough, wrapPassthrough } from './mqtt/passthrough.js';
export { EncodeError } from './field/index.js';
export {
  decodeBody,
  decodeFrame,
  encodeBody,
  encodeMessage,
  type DecodedMessage,
  type EncodedMessage,
  type MessageSpec,
} from './jt808/codec.js';
export {
  companionMessages,
  declarationOf,
  hasMessage,
  messageName,
  messages,
  type Body,
  type Message,
  type MessageDeclaration,
  type MessageName,
} from './jt808/messages.js';
export {
  Location,
  faultOfBatch,
  extrasOf,
  locationBaseBytes,
  locationStart,
  readBatch,
  readLocation,
  type Extra,
} from './jt808/location-fast.js';
export { canIdText, canSourceOf, timeOfDayToMs, type CanSource } from './jt808/can.js';
export { msToTime, terminalOffsetMs, timeToMs } from './jt808/time.js';
export { alarmBits, clearedByReply, confirmableAlarmBits, namesOf, statusBits } from './jt808/bits.js';
export {
  binaryImei,
  describeFrame,
  describeStream,
  StreamDescriber,
  type Described,
  type DescribedError,
  type DescribedMessage,
  type DescribedSentence,
  type DescribeOptions,
} from './jt808/describe.js';
export { describeLocation, type DescribedLocation } from './jt808/describe-location.js';
export { encodeExtra, extraItems, readExtra, type ExtraReading } from './jt808/extras.js';
export {
  encodeParameter,
  parameterOf,
  parameters,
  readParameter,
  type ParameterDeclaration,
  type ParameterReading,
} from './jt808/parameters.js';
export {
  commonDialect,
  dialectFor,
  dialectOf,
  dialects,
  knownTerminals,
  type DialectRule,
} from './jt808/vendors/dialects.js';
export type { Dialect, VendorAttributes } from './jt808/vendors/dialect.js';
export { encodeJson } from './jt808/encode-json.js';
export { explainFrame, type ExplainRow } from './jt808/explain.js';
export { toJson } from './jt808/to-json.js';
export type { FramingName } from './jt808/framing.js';
export { readMediaPacket, type MediaPacket } from './jt808/media-packets.js';
export { inflateUpload, type Inflated } from './jt808/compressed.js';
export { answerSentence, answerShortSerial } from './jt808/vendors/replies.js';

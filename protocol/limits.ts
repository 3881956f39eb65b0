/**
 * Every bound on what a peer can make this process hold or compute, with its reason. All are defaults; the gateway may
 * set others by configuration.
 */
export const limits = {
  /**
   * Wire bytes between two flags. The largest escaped frame of any edition has 2092 (JT/T 808 1.8 of the reference);
   * private variants and wrong lengths exist, so twice that is kept before it is called garbage.
   */
  candidateBytes: 4096,
  /** Consecutive refused candidates after which a connection carries something else than JT/T 808 (reference 1.10). */
  badCandidates: 20,
  /** Consecutive bytes without one good frame, same purpose; protects against one endless piece. */
  garbageBytes: 64 * 1024,
  /** Bytes of a refused frame that are kept for the log; enough to see the header and the start of the body. */
  refusedBytes: 256,
  /** Characters of a bracketed text sentence of electronic locks; real ones stay below 200. */
  sentenceBytes: 1024,
  /** Parts of one sub-packaged message; at 1023 bytes a part the byte limit is reached first (reference 1.8). */
  reassemblyParts: 8192,
  /** Bytes of one reassembled message, and of all unfinished ones of one terminal: a photo has 20 kB to 2 MB. */
  reassemblyBytes: 8 * 1024 * 1024,
  /** Unfinished messages of one terminal; a terminal sends one after the other, four leaves room for interleaving. */
  reassemblyMessages: 4,
  /** Age at which an unfinished message is given up (reference 2.9: "drop after about 60 s"). */
  reassemblyAgeMs: 60_000,
  /** Quiet time after which missing parts are asked for (reference 2.9: 5 s is usual). */
  reassemblyQuietMs: 5_000,
  /** Part numbers in one 0x8003 / 0x0005: the 2013 count is a byte and the 2013 media reply allows 125. */
  missingPartsPerRequest: 125,
  /** Body bytes of one downlink frame; terminals have 1024-byte or even 512-byte buffers (reference 1.8). */
  downlinkBodyBytes: 900,
  /** Text of 0x8300 in GBK bytes (reference 4.1). */
  textBytes: 1024,
  /** Content of our passthrough payload: serial passthrough firmware accepts 511 bytes (reference 4.9). */
  passthroughBytes: 500,
  /**
   * Content of a passthrough with a list of legs, which goes in sub-packages where one frame cannot hold it: 255 legs
   * (the most that a terminal may state) with ids of up to 50 bytes.
   */
  passthroughListBytes: 16 * 1024,
  /** Inflated size of a compressed upload (0x0901), against decompression bombs. */
  inflatedBytes: 1024 * 1024,
  /** Bytes of one protobuf message over MQTT; a batch of 500 positions has about 25 kB. */
  protobufBytes: 64 * 1024,
} as const;

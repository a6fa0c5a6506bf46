/** `data`: metadata, captions, cue points. */
export type MediaKind = "audio" | "video" | "data";

/**
 * One message of a publisher's stream, without anything of the protocol that brought it. The room of a protocol
 * (`ingest/rtmp`) makes these; the relay knows no other form of input.
 */
export type MediaMessage = {
  readonly kind: MediaKind;
  /** Decoding time by the publisher's clock, in milliseconds: unsigned 32 bits, with any start; wraps. */
  readonly timestamp: number;
  /**
   * Audio and video: an FLV tag's body, legacy or Enhanced RTMP v2. Its first bytes name the codec, the frame type and
   * the composition time. RTMP targets need this form, so it is kept, and `classifyMessage` reads those bytes once.
   * Data: AMF0 values. The memory is lent: code that keeps the payload copies it.
   */
  readonly payload: Buffer;
};

/** An encoder's time of a message, and the two clocks when it came, read once for all that is done with it. In milliseconds. */
export type MessageTimes = { readonly timestamp: number; readonly nowMs: number; readonly awakeMs: number };

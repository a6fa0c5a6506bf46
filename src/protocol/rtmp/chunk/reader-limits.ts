import { MessageType } from "../message.ts";

export type ReaderLimits = {
  /** Payload bytes of one message of this type. */
  readonly messageBytesMax: (type: number) => number;
  /** Unfinished messages, each on its own chunk stream. */
  readonly partialMessagesMax: number;
  /** Chunk streams whose last header is remembered. Encoders use fewer than ten of the 65,598. */
  readonly chunkStreamsMax: number;
  /** Payload bytes of all unfinished messages together. */
  readonly partialBytesMax: number;
  /**
   * The smallest Set Chunk Size that is accepted, in bytes, at least 1: tiny chunks turn few of the peer's bytes into
   * much of our time.
   */
  readonly chunkSizeMin: number;
};

const CHUNK_STREAMS_MAX = 256;
const KIB = 1_024;
const MIB = 1_024 * KIB;

/** For a peer without a key yet. */
export const LIMITS_BEFORE_PUBLISH: ReaderLimits = {
  messageBytesMax: () => 64 * KIB,
  partialMessagesMax: 8,
  chunkStreamsMax: 16,
  // One message of the longest kind, and some others between its chunks.
  partialBytesMax: 72 * KIB,
  chunkSizeMin: 128,
};

/** For an encoder whose key was accepted: a keyframe of a 60 Mbit/s stream stays below 8 MiB. */
export const LIMITS_PUBLISHING: ReaderLimits = {
  messageBytesMax: (type) => {
    if (type === MessageType.Video || type === MessageType.Aggregate) return 8 * MIB;
    if (type === MessageType.Audio) return 256 * KIB;
    // The metadata of a recording may hold an index of all its keyframes.
    return type === MessageType.DataAmf0 || type === MessageType.DataAmf3 ? MIB : 64 * KIB;
  },
  partialMessagesMax: 32,
  chunkStreamsMax: CHUNK_STREAMS_MAX,
  partialBytesMax: 12 * MIB,
  chunkSizeMin: 128,
};

/** For a target, which sends replies, status and control messages. */
export const LIMITS_CLIENT: ReaderLimits = {
  ...LIMITS_BEFORE_PUBLISH,
  chunkStreamsMax: CHUNK_STREAMS_MAX,
  chunkSizeMin: 1,
};

/** RTMP message types (reference 1.4). Anything else is ignored by the sessions. */
export const MessageType = {
  SetChunkSize: 1,
  Abort: 2,
  Acknowledgement: 3,
  UserControl: 4,
  WindowAckSize: 5,
  SetPeerBandwidth: 6,
  Audio: 8,
  Video: 9,
  DataAmf3: 15,
  SharedObjectAmf3: 16,
  CommandAmf3: 17,
  DataAmf0: 18,
  SharedObjectAmf0: 19,
  CommandAmf0: 20,
  Aggregate: 22,
} as const;
export type MessageType = (typeof MessageType)[keyof typeof MessageType];

/** One whole RTMP message, put together from its chunks. `type` is any byte the peer chose. */
export type Message = {
  readonly type: number;
  /** Milliseconds, unsigned 32-bit, wraps. A decoding time for media. */
  readonly timestamp: number;
  /** Message stream id: 0 for the connection itself, else what createStream answered. */
  readonly streamId: number;
  /** Whoever gets it may keep it, unless its reader lends payloads (`ChunkReader.lendPayloads`): then only a copy. */
  readonly payload: Buffer;
};

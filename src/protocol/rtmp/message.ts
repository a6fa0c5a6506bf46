/** RTMP message types (RTMP 1.0, chapters 5.4 and 7.1). The sessions ignore all others. */
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

/** One whole RTMP message, put together from its chunks. `type` is any byte that the peer chose. */
export type Message = {
  readonly type: number;
  /** Milliseconds, unsigned 32-bit, wraps. A decoding time for media. */
  readonly timestamp: number;
  /** Message stream id: 0 for the connection itself, else a number that createStream gave. */
  readonly streamId: number;
  /** May be kept, unless its reader lends payloads (`ChunkReader.lendPayloads`): then copy it. */
  readonly payload: Buffer;
};

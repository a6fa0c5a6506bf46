import { type Message, MessageType } from "./message.ts";

/** How binding a Set Peer Bandwidth is, by its last byte. */
export const PeerBandwidthLimit = { Hard: 0, Soft: 1, Dynamic: 2 } as const;

/** User Control events with a meaning here; others keep their number. */
const UserEvent = {
  StreamBegin: 0,
  StreamEof: 1,
  StreamDry: 2,
  SetBufferLength: 3,
  StreamIsRecorded: 4,
  PingRequest: 6,
  PingResponse: 7,
} as const;

/** Messages about the connection itself. Dispatched by type: PTZ cameras send them on any chunk stream. */
export type ControlMessage =
  | { readonly kind: "set-chunk-size"; readonly chunkSize: number }
  /** Drop the unfinished message on this chunk stream. */
  | { readonly kind: "abort"; readonly csid: number }
  /** Running total of received bytes modulo 2³²; some peers count the handshake, some do not. */
  | { readonly kind: "acknowledgement"; readonly bytesTotal: number }
  /** "Acknowledge every so many bytes." */
  | { readonly kind: "window-ack-size"; readonly bytes: number }
  /** `limit`: one of `PeerBandwidthLimit`, or any byte that the peer chose. */
  | { readonly kind: "set-peer-bandwidth"; readonly bytes: number; readonly limit: number }
  | { readonly kind: "stream-begin"; readonly streamId: number }
  | { readonly kind: "stream-eof"; readonly streamId: number }
  | { readonly kind: "stream-dry"; readonly streamId: number }
  | { readonly kind: "set-buffer-length"; readonly streamId: number; readonly bufferMs: number }
  | { readonly kind: "stream-is-recorded"; readonly streamId: number }
  /** Demands a reply with the same timestamp: nginx-rtmp drops a peer that sends none within 30 s. */
  | { readonly kind: "ping-request"; readonly timestamp: number }
  | { readonly kind: "ping-response"; readonly timestamp: number }
  /** SWF verification, BufferEmpty, BufferReady and unknown events: ignored. */
  | { readonly kind: "other-user-control"; readonly event: number; readonly data: Buffer };

/** Undefined for a message of another type, or one that is too short for its type; excess bytes are ignored. */
export function decodeControl(message: Message): ControlMessage | undefined {
  const { type, payload } = message;
  if (type === MessageType.UserControl) return decodeUserControl(payload);
  if (payload.length < 4) return undefined;
  switch (type) {
    case MessageType.SetChunkSize:
      return { kind: "set-chunk-size", chunkSize: payload.readUInt32BE(0) };
    case MessageType.Abort:
      return { kind: "abort", csid: payload.readUInt32BE(0) };
    case MessageType.Acknowledgement:
      return { kind: "acknowledgement", bytesTotal: payload.readUInt32BE(0) };
    case MessageType.WindowAckSize:
      return { kind: "window-ack-size", bytes: payload.readUInt32BE(0) };
    case MessageType.SetPeerBandwidth:
      if (payload.length < 5) return undefined;
      return { kind: "set-peer-bandwidth", bytes: payload.readUInt32BE(0), limit: payload.readUInt8(4) };
    default:
      return undefined;
  }
}

function decodeUserControl(payload: Buffer): ControlMessage | undefined {
  if (payload.length < 2) return undefined;
  const event = payload.readUInt16BE(0);
  if (!isKnownEvent(event)) return { kind: "other-user-control", event, data: payload.subarray(2) };
  if (payload.length < (event === UserEvent.SetBufferLength ? 10 : 6)) return undefined;
  const value = payload.readUInt32BE(2);
  switch (event) {
    case UserEvent.StreamBegin:
      return { kind: "stream-begin", streamId: value };
    case UserEvent.StreamEof:
      return { kind: "stream-eof", streamId: value };
    case UserEvent.StreamDry:
      return { kind: "stream-dry", streamId: value };
    case UserEvent.SetBufferLength:
      return { kind: "set-buffer-length", streamId: value, bufferMs: payload.readUInt32BE(6) };
    case UserEvent.StreamIsRecorded:
      return { kind: "stream-is-recorded", streamId: value };
    case UserEvent.PingRequest:
      return { kind: "ping-request", timestamp: value };
    case UserEvent.PingResponse:
      return { kind: "ping-response", timestamp: value };
  }
}

function isKnownEvent(event: number): event is (typeof UserEvent)[keyof typeof UserEvent] {
  return event <= UserEvent.PingResponse && event !== 5;
}

/** As the specification requires: message stream 0, timestamp 0. Send it on chunk stream 2. */
export function encodeControl(control: ControlMessage): Message {
  switch (control.kind) {
    case "set-chunk-size":
      return about(MessageType.SetChunkSize, uint32(control.chunkSize));
    case "abort":
      return about(MessageType.Abort, uint32(control.csid));
    case "acknowledgement":
      return about(MessageType.Acknowledgement, uint32(control.bytesTotal));
    case "window-ack-size":
      return about(MessageType.WindowAckSize, uint32(control.bytes));
    case "set-peer-bandwidth":
      return about(MessageType.SetPeerBandwidth, Buffer.concat([uint32(control.bytes), Buffer.from([control.limit])]));
    case "stream-begin":
      return userControl(UserEvent.StreamBegin, uint32(control.streamId));
    case "stream-eof":
      return userControl(UserEvent.StreamEof, uint32(control.streamId));
    case "stream-dry":
      return userControl(UserEvent.StreamDry, uint32(control.streamId));
    case "set-buffer-length":
      return userControl(
        UserEvent.SetBufferLength,
        Buffer.concat([uint32(control.streamId), uint32(control.bufferMs)]),
      );
    case "stream-is-recorded":
      return userControl(UserEvent.StreamIsRecorded, uint32(control.streamId));
    case "ping-request":
      return userControl(UserEvent.PingRequest, uint32(control.timestamp));
    case "ping-response":
      return userControl(UserEvent.PingResponse, uint32(control.timestamp));
    case "other-user-control":
      return userControl(control.event, control.data);
  }
}

function about(type: MessageType, payload: Buffer): Message {
  return { type, timestamp: 0, streamId: 0, payload };
}

function userControl(event: number, data: Buffer): Message {
  return about(MessageType.UserControl, Buffer.concat([Buffer.from([event >>> 8, event & 0xff]), data]));
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

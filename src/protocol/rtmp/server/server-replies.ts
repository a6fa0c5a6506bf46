import { type Amf0Value, amf0Object } from "../../amf0/value.ts";
import { ACK_WINDOW_BYTES } from "../ack-meter.ts";
import { encodeCommand } from "../command.ts";
import { encodeControl, PeerBandwidthLimit } from "../control.ts";
import type { Message } from "../message.ts";
import { SERVER_CHUNK_SIZE } from "./play.ts";

/**
 * What a peer may send ahead of our acknowledgements, in bytes: twice the longest distance between two of them, so that a
 * peer that keeps to it never waits, however it counts. Some take the one message for it, some the other: HPRTMP stops
 * sending at the window, and Sora's library closes the connection at twice the bandwidth. Most ignore both.
 */
const AHEAD_BYTES = 2 * ACK_WINDOW_BYTES;

/** Sent before the reply to `connect`. */
export function welcomeControls(): readonly Message[] {
  return [
    encodeControl({ kind: "window-ack-size", bytes: AHEAD_BYTES }),
    encodeControl({ kind: "set-peer-bandwidth", bytes: AHEAD_BYTES, limit: PeerBandwidthLimit.Dynamic }),
    encodeControl({ kind: "set-chunk-size", chunkSize: SERVER_CHUNK_SIZE }),
  ];
}

/**
 * `_result` of connect. Flash Media Server's own texts: some encoders check `fmsVer`. `enhanced`: what is announced about
 * Enhanced RTMP.
 */
export function connected(
  transactionId: number,
  objectEncoding: 0 | 3,
  enhanced: Readonly<Record<string, Amf0Value>>,
): Message {
  return encodeCommand(0, {
    name: "_result",
    transactionId,
    object: amf0Object({ fmsVer: "FMS/3,0,1,123", capabilities: 31, ...enhanced }),
    args: [
      amf0Object({
        level: "status",
        code: "NetConnection.Connect.Success",
        description: "Connection succeeded.",
        objectEncoding,
      }),
    ],
  });
}

/** `_error` of connect: OBS and FFmpeg treat it as final and show the description. */
export function connectRefused(transactionId: number, description: string): Message {
  return encodeCommand(0, {
    name: "_error",
    transactionId,
    object: null,
    args: [amf0Object({ level: "error", code: "NetConnection.Connect.InvalidApp", description })],
  });
}

/** `_error` of connect that is about a login: the description contains the dialogue. */
export function loginRefused(transactionId: number, description: string): Message {
  return encodeCommand(0, {
    name: "_error",
    transactionId,
    object: null,
    args: [amf0Object({ level: "error", code: "NetConnection.Connect.Rejected", description })],
  });
}

/** `_result` of any other command, with its value if there is one. */
export function result(transactionId: number, value?: Amf0Value): Message {
  return encodeCommand(0, { name: "_result", transactionId, object: null, args: [value ?? null] });
}

export function fcPublishStarted(): Message {
  return encodeCommand(0, {
    name: "onFCPublish",
    transactionId: 0,
    object: null,
    args: [amf0Object({ code: "NetStream.Publish.Start", description: "FCPublish accepted." })],
  });
}

export function fcUnpublished(): Message {
  return encodeCommand(0, {
    name: "onFCUnpublish",
    transactionId: 0,
    object: null,
    args: [amf0Object({ code: "NetStream.Unpublish.Success", description: "FCUnpublish accepted." })],
  });
}

/** GStreamer insists on exactly this code, on the message stream it publishes on. */
export function publishStarted(streamId: number): Message {
  return status(streamId, "status", "NetStream.Publish.Start", "Start publishing");
}

/** BadName, which OBS treats as final. It ignores `NetStream.Publish.Unauthorized` and would retry for ever. */
const REFUSALS = {
  refuse: "Stream key not accepted.",
  overloaded: "This server cannot keep up and takes no further stream now. Try again later, or use another server.",
  twice: "This connection is already publishing.",
  "too-long": "The stream key is too long.",
} as const;

export function publishRefused(streamId: number, why: keyof typeof REFUSALS): Message {
  return status(streamId, "error", "NetStream.Publish.BadName", REFUSALS[why]);
}

/**
 * Asks a client to connect again, elsewhere where `tcUrl` is given (Enhanced RTMP v2). Only for clients whose `capsEx`
 * has the bit.
 */
export function reconnectRequested(description: string, tcUrl?: string): Message {
  return encodeCommand(0, {
    name: "onStatus",
    transactionId: 0,
    object: null,
    args: [
      amf0Object({
        level: "status",
        code: "NetConnection.Connect.ReconnectRequest",
        ...(tcUrl === undefined ? {} : { tcUrl }),
        description,
      }),
    ],
  });
}

function status(streamId: number, level: string, code: string, description: string): Message {
  return encodeCommand(streamId, {
    name: "onStatus",
    transactionId: 0,
    object: null,
    args: [amf0Object({ level, code, description })],
  });
}

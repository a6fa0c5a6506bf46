import { encodeAmf0 } from "../../amf0/encode.ts";
import { amf0Object } from "../../amf0/value.ts";
import { EXTENDED_TIME, EXTENDED_TIME_BYTES } from "../chunk/chunk-header.ts";
import { encodeMessage } from "../chunk/chunk-writer.ts";
import { encodeCommand } from "../command.ts";
import { type Message, MessageType } from "../message.ts";
import { barePath } from "../url.ts";

/**
 * The size of our chunks to encoders and players, in bytes. FFmpeg copies it for its own direction, so a large one
 * saves both sides headers.
 */
export const SERVER_CHUNK_SIZE = 60_000;

/** The application from which previews are played. */
const PREVIEW_APP = "preview";

/**
 * The channel and the token in `play` of `<channelId>?token=…` from the application `preview`; undefined for any other.
 */
export function previewOf(
  app: string,
  name: string,
): { readonly channelId: string; readonly token: string } | undefined {
  if (barePath(app) !== PREVIEW_APP) return undefined;
  // Players put the expected file type before the name.
  const [path = "", query = ""] = name.replace(/^(?:mp4|flv):/, "").split("?", 2);
  return { channelId: barePath(path), token: new URLSearchParams(query).get("token") ?? "" };
}

/** One message for a player, complete by itself (fmt 0): a player may begin, lose messages and continue anywhere. */
export function encodePlayed(streamId: number, message: Omit<Message, "streamId">): Buffer {
  return encodeMessage(mediaCsid(message.type), { ...message, streamId }, SERVER_CHUNK_SIZE);
}

/** From this time on, in milliseconds, messages have an extended timestamp: 4 bytes more in each chunk. */
export const PLAYED_LONG_AFTER_MS = EXTENDED_TIME;

const STREAM_ID_AT = 8;
const PLAYED_HEADER_BYTES = 12;
/** Of a further chunk: its basic header is one byte. */
const NEXT_BASIC_HEADER_BYTES = 1;

/**
 * Writes another message stream and time into a message of `encodePlayed`, at `bytes[at…at + length)`. Both times must
 * be below `PLAYED_LONG_AFTER_MS`, or both not.
 */
export function stampPlayed(
  bytes: Buffer,
  at: number,
  length: number,
  { streamId, timestamp }: Pick<Message, "streamId" | "timestamp">,
): void {
  bytes.writeUIntBE(Math.min(timestamp, EXTENDED_TIME), at + 1, 3);
  bytes.writeUInt32LE(streamId, at + STREAM_ID_AT);
  if (timestamp < EXTENDED_TIME) return;
  for (let time = at + PLAYED_HEADER_BYTES; time < at + length; ) {
    bytes.writeUInt32BE(timestamp, time);
    time += EXTENDED_TIME_BYTES + SERVER_CHUNK_SIZE + NEXT_BASIC_HEADER_BYTES;
  }
}

function mediaCsid(type: number): number {
  if (type === MessageType.Audio) return 4;
  return type === MessageType.Video ? 6 : 5;
}

/**
 * Without it Flash does not allow access to the video; other players ignore it. `NetStream.Data.Start` is left out on
 * purpose: FFmpeg makes a data stream of it.
 */
function sampleAccess(streamId: number): Message {
  const payload = encodeAmf0(["|RtmpSampleAccess", true, true]);
  return { type: MessageType.DataAmf0, timestamp: 0, streamId, payload };
}

/** Why a player is refused. The same whether channel or token is wrong. */
export type PlayRefusal = "not-found" | "failed";

export const playReplies = {
  begin: (streamId: number): readonly Message[] => [
    status(streamId, "status", "NetStream.Play.Reset", "Playing and resetting."),
    status(streamId, "status", "NetStream.Play.Start", "Started playing."),
    sampleAccess(streamId),
  ],
  over: (streamId: number): Message =>
    status(streamId, "status", "NetStream.Play.UnpublishNotify", "Nothing is sent any more."),
  paused: (streamId: number, isPaused: boolean): Message =>
    isPaused
      ? status(streamId, "status", "NetStream.Pause.Notify", "Paused.")
      : status(streamId, "status", "NetStream.Unpause.Notify", "Goes on at the next keyframe."),
  refused: (streamId: number, why: PlayRefusal): Message =>
    why === "not-found"
      ? status(streamId, "error", "NetStream.Play.StreamNotFound", "There is no such preview now.")
      : status(streamId, "error", "NetStream.Play.Failed", "The preview cannot be shown now."),
} as const;

function status(streamId: number, level: string, code: string, description: string): Message {
  return encodeCommand(streamId, {
    name: "onStatus",
    transactionId: 0,
    object: null,
    args: [amf0Object({ level, code, description })],
  });
}

import { type Amf0Value, amf0Object } from "../../protocol/amf0/value.ts";
import { type Command, encodeCommand } from "../../protocol/rtmp/command.ts";
import type { Message } from "../../protocol/rtmp/message.ts";
import * as reply from "../../protocol/rtmp/server/server-replies.ts";
import { loginRefusal, type TargetLogin } from "./target-login.ts";

/** A moment on air: this long after the publication was accepted, or after this many bytes; whichever comes first. */
export type Moment = { readonly afterMs?: number; readonly afterBytes?: number };

/** How a connection is refused: with which text, and at `connect` or at `publish`. */
const REFUSALS = {
  "connect-rejected": { at: "connect", code: "NetConnection.Connect.Rejected", description: "Connection refused." },
  "invalid-app": { at: "connect", code: "NetConnection.Connect.InvalidApp", description: "No such application." },
  "login-demanded": {
    at: "connect",
    code: "NetConnection.Connect.Rejected",
    description: "[ AccessManager.Reject ] : [ code=403 need auth; authmod=adobe ] : ",
  },
  full: {
    at: "connect",
    code: "NetConnection.Connect.Rejected",
    description: "[ AccessManager.Reject ] : [ code=403 ] : app is full",
  },
  forbidden: {
    at: "connect",
    code: "NetConnection.Connect.Rejected",
    description: "[ AccessManager.Reject ] : [ code=403 ] : ",
  },
  "bad-name": { at: "publish", code: "NetStream.Publish.BadName", description: "No such stream key." },
  "key-in-use": { at: "publish", code: "NetStream.Publish.BadName", description: "Already publishing." },
  denied: { at: "publish", code: "NetStream.Publish.Denied", description: "Not allowed." },
  "own-code": { at: "publish", code: "NetStream.Publish.InvalidSign", description: "Signature expired." },
} as const;
export type Refusal = keyof typeof REFUSALS;
export const REFUSAL_NAMES = [
  "connect-rejected",
  "invalid-app",
  "login-demanded",
  "full",
  "forbidden",
  "bad-name",
  "key-in-use",
  "denied",
  "own-code",
] as const satisfies readonly Refusal[];

/** Where a target stops replying. `handshake`: it never sends a byte. */
export const SILENT_STAGES = ["handshake", "connect", "create-stream", "publish"] as const;
/** Where a target closes without a message. `accept`: at once; the others: instead of that answer. */
export const CLOSE_STAGES = ["accept", "handshake", "connect", "publish"] as const;

/**
 * Replies that no target should send. `garbage`, `http`: instead of the handshake. `garbage-chunks`: instead of the
 * reply to `connect`. `start-with-transaction`: Publish.Start with publish's own number instead of 0 (as many servers
 * do).
 * `result-only`: a `_result` for publish and no status.
 */
export const WRONG_ANSWERS = ["garbage", "http", "garbage-chunks", "start-with-transaction", "result-only"] as const;

/** The behaviour of a target towards one connection; the default is that of a good platform. */
export type TargetBehaviour = {
  readonly refuse?: Refusal;
  /** It accepts only this login. */
  readonly login?: TargetLogin;
  /** It refuses every encoder and names this address, absolute or relative. */
  readonly redirect?: string;
  /** Its reply to `createStream`; by default it counts from 1. */
  readonly streamNumber?: number;
  readonly closeAt?: (typeof CLOSE_STAGES)[number];
  readonly silentAt?: (typeof SILENT_STAGES)[number];
  readonly answer?: (typeof WRONG_ANSWERS)[number];
  /** It sends everything in pieces of this many bytes, a millisecond apart. */
  readonly splitBytes?: number;
  /** The chunk size that it announces and uses for its own messages; default 4096. Up to 2³¹ − 1. */
  readonly chunkSize?: number;
  /** It reads no faster than this, in bytes a second. The kernels' buffers take some MiB before a sender notices. */
  readonly bytesPerSecond?: number;
  /** It stops reading at this moment, for ever or for `resumeAfterMs`. */
  readonly stall?: Moment & { readonly resumeAfterMs?: number };
  /** It closes without a message at this moment. */
  readonly close?: Moment;
  /**
   * At this moment it asks the peer to reconnect, elsewhere where `tcUrl` is given; it goes on until the peer leaves.
   */
  readonly reconnect?: Moment & { readonly tcUrl?: string };
  /** It resets the connection at this moment. */
  readonly reset?: Moment;
  /**
   * It does not mention Enhanced RTMP, like a server without it; by default it announces every codec and form to encoders that
   * announce it.
   */
  readonly isPlain?: boolean;
  /** Bytes between acknowledgements, or none at all; default: the window that the peer announces. */
  readonly acknowledge?: number | "never";
};

/** The message that refuses this command, where the behaviour refuses it. */
export function refusalOf(
  { refuse, login, redirect }: TargetBehaviour,
  command: Command,
  streamId: number,
): Message | undefined {
  if (refuse !== undefined && command.name === REFUSALS[refuse].at) {
    const { at, code, description } = REFUSALS[refuse];
    const status = amf0Object({ level: "error", code, description });
    return at === "publish" ? statusMessage(streamId, 0, status) : errorMessage(command, status);
  }
  if (redirect !== undefined && command.name === "connect") return redirectMessage(command, redirect);
  if (login === undefined || command.name !== "connect") return undefined;
  const description = loginRefusal(login, command);
  if (description === undefined) return undefined;
  return errorMessage(command, amf0Object({ level: "error", code: "NetConnection.Connect.Rejected", description }));
}

/** As servers of Adobe's family do it. */
function redirectMessage(command: Command, redirect: string): Message {
  const code = "NetConnection.Connect.Rejected";
  const description = "[ AccessManager.Reject ] : [ code=302 ] : ";
  const ex = amf0Object({ code: 302, redirect });
  return errorMessage(command, amf0Object({ level: "error", code, description, ex }));
}

function errorMessage({ transactionId }: Command, status: Amf0Value): Message {
  return encodeCommand(0, { name: "_error", transactionId, object: null, args: [status] });
}

/** The messages that accept a publication. */
export function publishAnswer(answer: TargetBehaviour["answer"], command: Command, streamId: number): Message {
  if (answer === "result-only") return reply.result(command.transactionId);
  if (answer !== "start-with-transaction") return reply.publishStarted(streamId);
  const status = { level: "status", code: "NetStream.Publish.Start", description: "Start publishing" };
  return statusMessage(streamId, command.transactionId, amf0Object(status));
}

function statusMessage(streamId: number, transactionId: number, status: Amf0Value): Message {
  return encodeCommand(streamId, { name: "onStatus", transactionId, object: null, args: [status] });
}

import type { LoginRequest } from "./server-login.ts";

/** What an encoder wants to publish. `app` and `name` may hold the key: both are secret. */
export type PublishRequest = {
  readonly requestId: number;
  readonly app: string;
  readonly name: string;
  /** The encoder's `flashVer`: printable ASCII, at most 64 characters, may be empty. */
  readonly encoder: string;
};

/** What a player wants to play. `name` may hold a token: secret. */
export type PlayRequest = {
  readonly requestId: number;
  /** The message stream to play on. */
  readonly streamId: number;
  readonly app: string;
  readonly name: string;
};

/**
 * `login-asked`: the encoder was asked to log in, and does so on another connection. `too-many-messages`: it sent more
 * messages than any encoder does, media or not.
 */
export type ServerCloseReason =
  | "refused"
  | "login-asked"
  | "not-answered"
  | "protocol-error"
  | "too-many-messages"
  | "timed-out"
  | "play-refused"
  | "play-over";

/**
 * An audio, video or data message of the running publication, without what only concerns RTMP. One object for each
 * message: it is the output and what the owner passes on.
 */
export type MediaOutput = {
  readonly kind: "audio" | "video" | "data";
  /** Milliseconds, unsigned 32-bit, wraps: a decoding time. */
  readonly timestamp: number;
  /** Audio and video: an FLV tag's body. Data: AMF0 values, without the format selector of "AMF3" messages. */
  readonly payload: Buffer;
};

export type ServerOutput =
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** The encoder logs in, or must; it gets no reply before `answerLogin`. */
  | { readonly kind: "login-requested"; readonly requestId: number; readonly login: LoginRequest }
  | { readonly kind: "publish-requested"; readonly request: PublishRequest }
  /** The player gets no reply before `answerPlay`. */
  | { readonly kind: "play-requested"; readonly request: PlayRequest }
  /** Only where something is played. */
  | { readonly kind: "play-paused"; readonly isPaused: boolean }
  /** The player ended playback; the connection stays. */
  | { readonly kind: "play-ended" }
  | MediaOutput
  /** The encoder ended its publication properly; the connection stays and may publish again. */
  | { readonly kind: "unpublished" }
  /** Write what was sent, half-close, then destroy. The last output of a session. */
  | { readonly kind: "closed"; readonly reason: ServerCloseReason; readonly detail: string };

/**
 * `overloaded`: this server takes no new channel now. `unavailable`: no verdict; closed without a message, so that the
 * encoder tries again.
 */
export type PublishDecision = "accept" | "refuse" | "overloaded" | "unavailable";

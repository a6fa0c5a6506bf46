import type { TargetSpec } from "./channel-spec.ts";
import type { TargetError } from "./targets/target-status.ts";

/** The stages of a target's test, in order: DNS, TCP, TLS, RTMP handshake, login, permission to publish. */
export type PreflightStage = "resolve" | "connect" | "tls" | "handshake" | "login" | "publish";

/**
 * Control thread to media thread: connect to this target as for a broadcast, but send no media. Holds a secret: never
 * log it.
 */
export type PreflightRequest = { readonly kind: "preflight"; readonly target: TargetSpec };

export type PreflightResult = {
  readonly isOk: boolean;
  /** The stage that failed, or the last one. */
  readonly stage: PreflightStage;
  readonly error?: TargetError;
  readonly durationMs: number;
};

export type PreflightReply = { readonly kind: "preflight"; readonly result: PreflightResult };

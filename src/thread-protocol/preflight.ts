import type { TargetSpec } from "./channel-spec.ts";
import type { TargetError } from "./targets/target-status.ts";

/** How far a test of a target got: its name, its port, TLS, RTMP's handshake, its login, its consent to publish. */
export type PreflightStage = "resolve" | "connect" | "tls" | "handshake" | "login" | "publish";

/** Try this target as if for real, but send no media. Holds a secret: never log it. */
export type PreflightRequest = { readonly requestId: number; readonly target: TargetSpec };

export type PreflightResult = {
  readonly isOk: boolean;
  /** The stage that failed, or the last one. */
  readonly stage: PreflightStage;
  readonly error?: TargetError;
  readonly durationMs: number;
};

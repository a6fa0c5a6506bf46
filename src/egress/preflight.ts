import type { Clock } from "../base/clock.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import type { PreflightResult, PreflightStage } from "../thread-protocol/preflight.ts";
import { TargetErrorCode } from "../thread-protocol/targets/target-status.ts";
import type { RtmpDialer } from "./dialer.ts";
import type { RtmpLink } from "./rtmp-link.ts";
import type { SrtLink } from "./srt-link.ts";

/**
 * Connects to a target as a broadcast would, up to its acceptance of publish, then ends properly. Sends no media.
 * Bounded by the deadlines of the stages; never rejects.
 */
export function preflight(target: TargetSpec, dialer: RtmpDialer, clock: Clock): Promise<PreflightResult> {
  const startMs = clock.now();
  const durationMs = () => Math.round(clock.now() - startMs);
  return new Promise((resolve) => {
    const link = dialer.dial(target, {
      onPublishing: () => {
        link.close("end");
        resolve({ isOk: true, stage: "publish", durationMs: durationMs() });
      },
      onDrained: () => undefined,
      onClosed: (error) => {
        const stage = error.code === TargetErrorCode.AuthFailed ? "login" : stageOf(link);
        resolve({ isOk: false, stage, error, durationMs: durationMs() });
      },
    });
  });
}

/** RTMP's connect command is part of the permission: it names the application. */
function stageOf(link: RtmpLink | SrtLink): PreflightStage {
  switch (link.failedAt) {
    case "resolve":
    case "tls":
    case "handshake":
      return link.failedAt;
    case "tcp":
      return "connect";
    default:
      return "publish";
  }
}

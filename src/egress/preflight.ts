import type { Clock, Timer } from "../base/clock.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import type { PreflightResult, PreflightStage } from "../thread-protocol/preflight.ts";
import { TargetErrorCode } from "../thread-protocol/targets/target-status.ts";
import type { RtmpDialer } from "./dialer.ts";
import type { RtmpLink } from "./rtmp-link.ts";
import type { SrtLink } from "./srt-link.ts";

/**
 * Some servers accept every key, and a moment later say that it is wrong, or only close the connection. In
 * milliseconds.
 */
const SETTLED_AFTER_MS = 1_000;

/**
 * Connects to a target as a broadcast would, up to its acceptance of publish, then ends properly. Sends no media. A
 * refusal that follows the acceptance counts. Bounded by the deadlines of the stages; never rejects.
 */
export function preflight(target: TargetSpec, dialer: RtmpDialer, clock: Clock): Promise<PreflightResult> {
  const startMs = clock.now();
  const durationMs = () => Math.round(clock.now() - startMs);
  return new Promise((resolve) => {
    let settled: Timer | undefined;
    const link = dialer.dial(target, {
      onPublishing: () => {
        const result = { isOk: true, stage: "publish", durationMs: durationMs() } as const;
        settled = clock.startTimer(SETTLED_AFTER_MS, () => {
          link.close("end");
          resolve(result);
        });
      },
      onDrained: () => undefined,
      onClosed: (error) => {
        settled?.cancel();
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

import { codecName } from "../../../base/codec-names.ts";
import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../../thread-protocol/targets/target-status.ts";
import type { DecoderConfig } from "../../stream/config/decoder-config.ts";

/** After this time of media a track counts as missing, in milliseconds: an encoder may turn one on late. */
const TRACK_WAIT_MS = 5_000;

const KINDS = ["video", "audio"] as const;

/**
 * Returns why a target cannot take the stream: it does not accept the codec of a track that it would get, or its chosen
 * track is missing. Undefined if it can.
 */
export function streamProblem(spec: TargetSpec, head: DecoderConfig, nowMs: number): TargetError | undefined {
  return codecProblem(spec, head) ?? trackProblem(spec, head, nowMs);
}

function codecProblem({ codecs, tracks }: TargetSpec, head: DecoderConfig): TargetError | undefined {
  const refused = new Set<string>();
  for (const kind of KINDS) {
    const taken = codecs?.[kind];
    if (taken === undefined) continue;
    for (const [trackId, codec] of head.codecs(kind)) {
      const isSent = tracks === undefined || tracks[kind] === trackId;
      if (isSent && !taken.includes(codec)) refused.add(codecName(codec));
    }
  }
  return refused.size === 0 ? undefined : targetError("codec-unsupported", [...refused].join(", "));
}

/** A stream without audio or without video does not lack the default track of that kind. */
function trackProblem({ tracks }: TargetSpec, head: DecoderConfig, nowMs: number): TargetError | undefined {
  if (tracks === undefined || head.shownForMs(nowMs) < TRACK_WAIT_MS) return undefined;
  for (const kind of KINDS) {
    const present = head.codecs(kind);
    const chosen = tracks[kind];
    if (present.has(chosen) || (chosen === 0 && present.size === 0)) continue;
    return targetError(`${kind}-track-missing`, `#${chosen}`);
  }
  return undefined;
}

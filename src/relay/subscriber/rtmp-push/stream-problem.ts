import { codecName } from "../../../base/codec-names.ts";
import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../../thread-protocol/targets/target-status.ts";
import type { DecoderConfig } from "../../stream/config/decoder-config.ts";

/** Media for so long without a track: it does not come. Headers stand at a stream's beginning; an encoder may turn on a track late. In milliseconds. */
const TRACK_WAIT_MS = 5_000;

const KINDS = ["video", "audio"] as const;

/**
 * Why a target cannot be given this stream: the codecs, of tracks it would get, that it does not take, or a track it was to get that is not
 * there. Undefined where it can.
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

/** A stream without any sound, or without any picture, does not lack the default track: nobody chose it. */
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

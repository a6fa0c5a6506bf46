import { codecName } from "../../../base/codec-names.ts";
import { isSrtUrl } from "../../../base/srt-url.ts";
import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../../../thread-protocol/targets/target-status.ts";
import type { DecoderConfig } from "../../stream/config/decoder-config.ts";

/** After this time of media a track counts as missing, in milliseconds: an encoder may turn one on late. */
const TRACK_WAIT_MS = 5_000;

const KINDS = ["video", "audio"] as const;

/** What the transport stream of an SRT target carries (`protocol/mpegts/mux`). Of its further tracks others are left out. */
const OVER_SRT: Readonly<Record<(typeof KINDS)[number], ReadonlySet<string>>> = {
  video: new Set(["avc", "hevc"]),
  audio: new Set(["aac", "mp3", "ac3", "eac3", "opus"]),
};

/**
 * Returns why a target cannot take the stream: it does not accept the codec of a track that it would get, its protocol
 * has no form for it, or its chosen track is missing. Undefined if it can.
 */
export function streamProblem(spec: TargetSpec, head: DecoderConfig, nowMs: number): TargetError | undefined {
  return codecProblem(spec, head) ?? trackProblem(spec, head, nowMs);
}

function codecProblem({ url, codecs, tracks }: TargetSpec, head: DecoderConfig): TargetError | undefined {
  const refused = new Set<string>();
  const isSrt = isSrtUrl(url.trim());
  for (const kind of KINDS) {
    const taken = codecs?.[kind];
    for (const [trackId, codec] of head.codecs(kind)) {
      const isSent = tracks === undefined || tracks[kind] === trackId;
      const isMain = trackId === (tracks?.[kind] ?? 0);
      if (isSent && taken?.includes(codec) === false) refused.add(codecName(codec));
      else if (isSrt && isMain && !OVER_SRT[kind].has(codec)) refused.add(`${codecName(codec)} over SRT`);
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

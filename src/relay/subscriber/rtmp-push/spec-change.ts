import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import { type LinkClose, type StreamChoice, WHOLE_STREAM } from "../subscriber.ts";

/** Whether a target's address or key changed: no session of ours can linger there. */
export function isReaddressed(before: TargetSpec, after: TargetSpec): boolean {
  return before.url !== after.url || before.streamKey !== after.streamKey;
}

/** How to close a link when a change requires a new connection; undefined if the link may stay. */
export function leaveFor(before: TargetSpec, after: TargetSpec): LinkClose | undefined {
  const isSameLogin =
    before.credentials?.id === after.credentials?.id && before.credentials?.password === after.credentials?.password;
  const isSameTrust = before.tls?.ca === after.tls?.ca && before.tls?.fingerprint === after.tls?.fingerprint;
  if (isReaddressed(before, after) || !isSameLogin || !isSameTrust) return "end";
  const isSameTracks = before.tracks?.video === after.tracks?.video && before.tracks?.audio === after.tracks?.audio;
  const isSameData = (before.hasTimedData ?? true) === (after.hasTimedData ?? true);
  const isSameSilence = (before.addsSilence ?? false) === (after.addsSilence ?? false);
  // The broadcast at the platform continues, with other tracks, or with or without timed data or silence.
  return isSameTracks && isSameData && isSameSilence ? undefined : "cut";
}

/** What a target takes of the stream, as its spec says. */
export function choiceOf({ tracks, hasTimedData = true, addsSilence = false }: TargetSpec): StreamChoice {
  return { ...WHOLE_STREAM, ...(tracks === undefined ? {} : { tracks }), hasTimedData, addsSilence };
}

import type { TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import { type LinkClose, type StreamChoice, WHOLE_STREAM } from "../subscriber.ts";

/** Whether a target's address or key is another now: nothing of ours can linger there. */
export function isReaddressed(before: TargetSpec, after: TargetSpec): boolean {
  return before.url !== after.url || before.streamKey !== after.streamKey;
}

/** How a link is left because of a change, to be dialled anew; undefined where it may stay. */
export function leaveFor(before: TargetSpec, after: TargetSpec): LinkClose | undefined {
  const isSameLogin =
    before.credentials?.id === after.credentials?.id && before.credentials?.password === after.credentials?.password;
  const isSameTrust = before.tls?.ca === after.tls?.ca && before.tls?.fingerprint === after.tls?.fingerprint;
  if (isReaddressed(before, after) || !isSameLogin || !isSameTrust) return "end";
  const isSameTracks = before.tracks?.video === after.tracks?.video && before.tracks?.audio === after.tracks?.audio;
  const isSameData = (before.hasTimedData ?? true) === (after.hasTimedData ?? true);
  // The broadcast over there goes on, with other tracks, or with or without timed data.
  return isSameTracks && isSameData ? undefined : "cut";
}

/** What of the stream a target takes, as far as its spec says it. */
export function choiceOf({ tracks, hasTimedData = true }: TargetSpec): StreamChoice {
  return { ...WHOLE_STREAM, ...(tracks === undefined ? {} : { tracks }), hasTimedData };
}

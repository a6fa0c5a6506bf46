import { parseTargetUrl, streamName } from "../../protocol/rtmp/url.ts";
import { type TargetErrorName, targetError } from "../../thread-protocol/targets/target-errors.ts";
import { TargetErrorCode, type TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import type { Target } from "./channel.ts";

/** Where a target's stream goes, however its address is written. */
function placeOf(url: string): string {
  const address = parseTargetUrl(url);
  if (typeof address === "string") return url;
  return `${address.scheme}://${address.host}:${address.port}/${address.app}`;
}

/** The others of the channel with this one's address and key: where a key is taken once, they take each other's place. */
export function twinsOf<Each extends Target>(target: Target, targets: readonly Each[]): readonly Each[] {
  const key = streamName(target.streamKey);
  return targets.filter(
    (other) =>
      other.targetId !== target.targetId &&
      streamName(other.streamKey) === key &&
      placeOf(other.url) === placeOf(target.url),
  );
}

/** How people know a target: its name, else its kind and number. */
export function spokenName({ label, targetName, targetId }: Target): string {
  return label ?? `${targetName} #${targetId}`;
}

/** What a platform that takes a key once does to the second: it says so, refuses in other words, or hangs up on one of the two. */
const TWIN_SENTENCES: Partial<Readonly<Record<TargetErrorCode, TargetErrorName>>> = {
  [TargetErrorCode.StreamKeyInUse]: "key-used-by-twin",
  [TargetErrorCode.PublishRejected]: "refused-beside-twin",
  [TargetErrorCode.RemoteClosed]: "closed-beside-twin",
};

/** The status with a reason that names the other target, where that is the likely one. */
export function besideTwin(status: TargetStatus, twins: readonly Target[]): TargetStatus {
  const twin = twins.find(({ isEnabled }) => isEnabled);
  const { lastError } = status;
  const name = lastError === undefined ? undefined : TWIN_SENTENCES[lastError.code];
  if (twin === undefined || lastError === undefined || name === undefined) return status;
  const { message, messageKo } = targetError(name, spokenName(twin));
  return { ...status, lastError: { ...lastError, message, messageKo } };
}

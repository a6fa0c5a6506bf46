import { parseTargetUrl, streamName } from "../../protocol/rtmp/url.ts";
import { type TargetErrorName, targetError } from "../../thread-protocol/targets/target-errors.ts";
import { TargetErrorCode, type TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import type { Target } from "./channel.ts";
import { isOn } from "./target-windows.ts";

/** The place that an address names, however it is written. */
function placeOf(url: string): string {
  const address = parseTargetUrl(url);
  if (typeof address === "string") return url;
  return `${address.scheme}://${address.host}:${address.port}/${address.app}`;
}

/**
 * The channel's other targets with this one's address and key. Where a platform takes a key once, they replace each
 * other.
 */
export function twinsOf<Each extends Target>(target: Target, targets: readonly Each[]): readonly Each[] {
  const key = streamName(target.streamKey);
  return targets.filter(
    (other) =>
      other.targetId !== target.targetId &&
      streamName(other.streamKey) === key &&
      placeOf(other.url) === placeOf(target.url),
  );
}

/** The name that people see: the target's label, else its platform and number. */
export function spokenName({ label, targetName, targetId }: Target): string {
  return label ?? `${targetName} #${targetId}`;
}

/**
 * How a platform that takes a key once treats the second stream: it says so, refuses in other words, or closes one of
 * the two connections.
 */
const TWIN_SENTENCES: Partial<Readonly<Record<TargetErrorCode, TargetErrorName>>> = {
  [TargetErrorCode.StreamKeyInUse]: "key-used-by-twin",
  [TargetErrorCode.PublishRejected]: "refused-beside-twin",
  [TargetErrorCode.RemoteClosed]: "closed-beside-twin",
};

/** The status with an error that names the other target, where that is the likely cause. */
export function besideTwin(status: TargetStatus, twins: readonly Target[]): TargetStatus {
  const twin = twins.find(isOn);
  const { lastError } = status;
  const name = lastError === undefined ? undefined : TWIN_SENTENCES[lastError.code];
  if (twin === undefined || lastError === undefined || name === undefined) return status;
  const { message, messageKo } = targetError(name, spokenName(twin));
  return { ...status, lastError: { ...lastError, message, messageKo } };
}

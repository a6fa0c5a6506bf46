import { isTargetError, targetError } from "../../../thread-protocol/targets/target-errors.ts";
import { type TargetError, TargetErrorCode } from "../../../thread-protocol/targets/target-status.ts";

/**
 * A key that is refused this soon after we published with it is most likely still held by our own last session. In
 * milliseconds.
 */
const KEY_LINGERS_MS = 120_000;
const KEY_IN_USE = targetError("key-lingers");

/**
 * Returns the error to report for a refusal. `offAirMs`: time since the target was last on air, in milliseconds;
 * undefined: never.
 */
export function judgeRefusal(error: TargetError, offAirMs: number | undefined): TargetError {
  return offAirMs !== undefined && offAirMs < KEY_LINGERS_MS && mayLinger(error) ? KEY_IN_USE : error;
}

/**
 * Whether a connection that was on air and ended so may still hold its key at the target. One that the target refused
 * after it had accepted never held it. `error`: why it ended; undefined where we left.
 */
export function mayHoldKey(error: TargetError | undefined): boolean {
  return error?.code !== TargetErrorCode.PublishRejected && error?.code !== TargetErrorCode.StreamKeyInUse;
}

/** Whether the refusal may mean only that our own last connection still has the key. */
function mayLinger(error: TargetError): boolean {
  if (error.code !== TargetErrorCode.PublishRejected) return false;
  // These refusals have other reasons than a key in use, and waiting does not help.
  return !isTargetError(error, "publish-refused-otherwise") && !isTargetError(error, "stream-number-broken");
}

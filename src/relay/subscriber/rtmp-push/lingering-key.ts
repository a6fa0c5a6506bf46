import { isTargetError, targetError } from "../../../thread-protocol/targets/target-errors.ts";
import { type TargetError, TargetErrorCode } from "../../../thread-protocol/targets/target-status.ts";

/** A key refused so soon after we published with it is most likely our own last session, not yet noticed to be gone. */
const KEY_LINGERS_MS = 120_000;
const KEY_IN_USE = targetError("key-lingers");

/** A refusal as it is told, of a target that was on air so long ago; undefined: never. */
export function judgeRefusal(error: TargetError, offAirMs: number | undefined): TargetError {
  return offAirMs !== undefined && offAirMs < KEY_LINGERS_MS && mayLinger(error) ? KEY_IN_USE : error;
}

/** Whether a key that was on air a moment ago may be refused so only because our own last connection still has it. */
function mayLinger(error: TargetError): boolean {
  if (error.code !== TargetErrorCode.PublishRejected) return false;
  // These say something else than that the key is taken, and waiting would not mend it.
  return !isTargetError(error, "publish-refused-otherwise") && !isTargetError(error, "stream-number-broken");
}

import { isTargetError } from "../exchange/target-errors.ts";
import { type TargetError, TargetErrorCode } from "../exchange/target-status.ts";

/** Whether a key that was on air a moment ago may be refused so only because our own last connection still has it. */
export function mayLinger(error: TargetError): boolean {
  if (error.code !== TargetErrorCode.PublishRejected) return false;
  // These say something else than that the key is taken, and waiting would not mend it.
  return !isTargetError(error, "publish-refused-otherwise") && !isTargetError(error, "stream-number-broken");
}

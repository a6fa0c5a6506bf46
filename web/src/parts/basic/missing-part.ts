import { dashboard } from "../../base/api.ts";
import { t } from "../../text/text.ts";
import { say } from "./notice.tsx";

/** A page that was opened this recently is of the running version, in milliseconds. */
const CURRENT_AGE_MS = 10_000;

/**
 * Called when a file of this page cannot be loaded. Reloads the page if the server was updated since, and shows a notice if the server
 * cannot be reached.
 */
export async function recoverMissing(): Promise<void> {
  const isReachable = await dashboard.GET("/session").then(
    () => true,
    () => false,
  );
  if (isReachable && performance.now() > CURRENT_AGE_MS) location.reload();
  else say(t().common.failed(t().common.network), "bad");
}

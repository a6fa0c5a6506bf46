import { dashboard } from "../../base/api.ts";
import { t } from "../../text/text.ts";
import { say } from "./notice.tsx";

/** A page that was opened this recently is of the running version, in milliseconds. */
const CURRENT_AGE_MS = 10_000;
/** How often a page asks whether the server can be reached, in milliseconds. */
const RETRY_MS = 3_000;

/** Set once the page waits for the server: one wait for all parts that are missing. A reload ends it. */
let isWaiting = false;

/**
 * Called when a file of this page cannot be loaded. Reloads the page if the server was updated since. Otherwise it shows a
 * notice and reloads the page once the server can be reached, after three seconds at least: a browser may never load a
 * file again that failed once, and without it a part of the page stays empty.
 */
export async function recoverMissing(): Promise<void> {
  if (isWaiting) return;
  if (performance.now() > CURRENT_AGE_MS && (await isReachable())) {
    location.reload();
    return;
  }
  isWaiting = true;
  say(t().common.failed(t().common.network), "bad");
  const timer = setInterval(async () => {
    if (!(await isReachable())) return;
    clearInterval(timer);
    location.reload();
  }, RETRY_MS);
}

function isReachable(): Promise<boolean> {
  return dashboard.GET("/session").then(
    () => true,
    () => false,
  );
}

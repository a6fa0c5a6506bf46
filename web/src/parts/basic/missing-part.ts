import { at } from "../../base/base-path.ts";
import { t } from "../../text/text.ts";
import { say } from "./notice.tsx";

/** A page younger than this is of the server that is there now, in milliseconds. */
const OWN_AGE_MS = 10_000;

/**
 * A file of this page could not be loaded. The server is gone, which is told; or it was updated since and has another one: then the page
 * is loaded anew.
 */
export async function tellMissing(): Promise<void> {
  const isThere = await fetch(at("/dashboard/session")).then(
    ({ ok }) => ok,
    () => false,
  );
  if (isThere && performance.now() > OWN_AGE_MS) location.reload();
  else say(t().common.failed(t().common.network), "bad");
}

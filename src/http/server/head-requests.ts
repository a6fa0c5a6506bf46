import { OPERATIONS } from "../../api-contract/operations.ts";
import { API_PREFIXES } from "../../api-contract/regions.ts";

/** Routes of the original's own calls, in the router's form. */
const CONTRACT_ROUTES: ReadonlySet<string> = new Set(
  OPERATIONS.filter(({ isOurs, method }) => !isOurs && method === "GET").flatMap(({ path }) =>
    API_PREFIXES.map(({ prefix }) => `${prefix}${path.replace(/\{(\w+)\}/g, ":$1")}`),
  ),
);

/**
 * For the original's own calls HEAD is a wrong method, and so an unknown URL. For all others it is GET without the
 * body.
 */
export function isHeadUnknown(method: string, route: string | undefined): boolean {
  return method === "HEAD" && CONTRACT_ROUTES.has(route ?? "");
}

/** Whether a request changes nothing. */
export function isRead(method: string): boolean {
  return method === "GET" || method === "HEAD";
}

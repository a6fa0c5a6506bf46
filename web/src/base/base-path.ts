/** The path of this server on its host, found from this built file, which is in a folder below it. Empty at the root. */
const BASE_PATH = new URL(import.meta.url).pathname.replace(/\/[^/]*\/[^/]*$/, "");

/** Adds the base path to a path of this server. */
export const at = (path: string): string => `${BASE_PATH}${path}`;

/** Removes the base path. A path that is not below it is returned unchanged. */
export function within(pathname: string): string {
  const isBelow = pathname === BASE_PATH || pathname.startsWith(`${BASE_PATH}/`);
  return isBelow ? pathname.slice(BASE_PATH.length) || "/" : pathname;
}

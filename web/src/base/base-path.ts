/** Where this server is on its host: built files lie in a folder of their own below it. Empty at the root. */
const BASE_PATH = new URL(import.meta.url).pathname.replace(/\/[^/]*\/[^/]*$/, "");

/** An address of ours as the browser asks for it. */
export const at = (path: string): string => `${BASE_PATH}${path}`;

/** The same back: what is not below our path stays as it is. */
export function within(pathname: string): string {
  const isBelow = pathname === BASE_PATH || pathname.startsWith(`${BASE_PATH}/`);
  return isBelow ? pathname.slice(BASE_PATH.length) || "/" : pathname;
}

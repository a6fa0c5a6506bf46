/** Segments of a path, each of characters that are never encoded. */
const FORM = /^(?:\/[A-Za-z0-9._~-]+)*$/;
const CHARACTERS_MAX = 256;

/** `/fanfare`, without the slash at its end; empty for the root, undefined where it is none. */
export function parseBasePath(text: string): string | undefined {
  const path = text.endsWith("/") ? text.slice(0, -1) : text;
  const isDotted = path.split("/").some((segment) => segment === "." || segment === "..");
  return path.length <= CHARACTERS_MAX && FORM.test(path) && !isDotted ? path : undefined;
}

/**
 * The request target without the base path. A proxy may have taken it off, or hand it on: both are served alike, and a target outside the
 * base path is taken as it is.
 */
export function withoutBasePath(target: string, basePath: string): string {
  if (basePath === "" || !target.startsWith(basePath)) return target;
  const rest = target.slice(basePath.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : target;
}

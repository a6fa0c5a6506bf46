/** Segments of a path, of characters that are never encoded. */
const FORM = /^(?:\/[A-Za-z0-9._~-]+)*$/;
const CHARACTERS_MAX = 256;

/**
 * Returns the path without a slash at its end, such as `/fanfare`; empty for the root, undefined where it is not valid.
 */
export function parseBasePath(text: string): string | undefined {
  const path = text.endsWith("/") ? text.slice(0, -1) : text;
  const isDotted = path.split("/").some((segment) => segment === "." || segment === "..");
  return path.length <= CHARACTERS_MAX && FORM.test(path) && !isDotted ? path : undefined;
}

/**
 * The request target without the base path. A proxy may have removed the base path or not: both work, and a target
 * outside the base path stays as it is.
 */
export function withoutBasePath(target: string, basePath: string): string {
  if (basePath === "" || !target.startsWith(basePath)) return target;
  const rest = target.slice(basePath.length);
  if (rest === "" || rest.startsWith("?")) return `/${rest}`;
  return rest.startsWith("/") ? rest : target;
}

import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The folder in which this program is installed: the nearest one above this file with a package.json. It is the same
 * for the sources and for everything that is built from them.
 */
export const INSTALL_FOLDER: string = above(import.meta.dirname);

function above(folder: string): string {
  if (existsSync(join(folder, "package.json"))) return folder;
  const outer = dirname(folder);
  if (outer === folder) throw new Error(`no package.json above ${import.meta.dirname}`);
  return above(outer);
}

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { INSTALL_FOLDER } from "../net/install-folder.ts";

/** The version of this release, from package.json. */
export function releaseVersion(): string {
  const text = readFileSync(join(INSTALL_FOLDER, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

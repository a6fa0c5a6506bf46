import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";
import { sbomOf } from "./sbom.ts";

export type PackageOptions = {
  readonly root: string;
  readonly version: string;
  /** Where the files go; it exists. */
  readonly folder: string;
  readonly signal: AbortSignal;
};

/** Writes the package, its SBOM and `SHA256SUMS`, which `sha256sum --check` reads. `dist/` and `dist-web/` are built. */
export async function makePackage({ root, version, folder, signal }: PackageOptions): Promise<void> {
  const names = [`fanfare-${version}.tgz`, `fanfare-${version}.cdx.json`] as const;
  const [tarball, sbom] = names;
  // Without its scripts: `prepack` would build a second time.
  await runCommand(root, signal, "npm", ["pack", "--ignore-scripts", "--pack-destination", folder]);
  if (!existsSync(join(folder, tarball))) throw new Error(`npm pack made no ${tarball}`);
  writeFileSync(join(folder, sbom), await sbomOf(root, folder, signal));
  const sums = names.map((name) => {
    const bytes = readFileSync(join(folder, name));
    return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`;
  });
  writeFileSync(join(folder, "SHA256SUMS"), sums.join(""));
}

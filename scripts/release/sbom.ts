import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "./command.ts";

type Manifest = {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
type Lock = {
  readonly lockfileVersion: number;
  readonly packages: Readonly<Record<string, { readonly dev?: boolean; readonly link?: boolean }>>;
};

/**
 * Returns the SBOM (CycloneDX, JSON) of the package: every package that an installation of it has, at the versions of
 * the lock file. `folder`: where a folder for npm can be made and removed.
 *
 * npm describes a project that has these packages alone. Asked to omit development packages, it would also omit
 * packages that both the server and its tools need, and it cannot describe workspaces without a version.
 */
export async function sbomOf(root: string, folder: string, signal: AbortSignal): Promise<string> {
  const manifest: Manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const lock: Lock = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const { name, version, description, license, dependencies, optionalDependencies } = manifest;
  const described = { name, version, description, license, dependencies, optionalDependencies };
  const installed = Object.entries(lock.packages).filter(
    ([path, { dev, link }]) => path.startsWith("node_modules/") && dev !== true && link !== true,
  );
  const { lockfileVersion } = lock;
  const ours = { name, version, lockfileVersion, packages: { "": described, ...Object.fromEntries(installed) } };
  // npm takes the folder's name for the project's.
  const project = join(folder, name);
  mkdirSync(project);
  try {
    writeFileSync(join(project, "package.json"), JSON.stringify(described));
    writeFileSync(join(project, "package-lock.json"), JSON.stringify(ours));
    const options = ["--sbom-format", "cyclonedx", "--sbom-type", "application", "--package-lock-only"];
    return await runCommand(project, signal, "npm", ["sbom", ...options]);
  } finally {
    rmSync(project, { recursive: true, force: true });
  }
}

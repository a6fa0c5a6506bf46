import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { initCluster } from "../../../src/app/commands/init-cluster.ts";
import { readKeyFile } from "../../../src/store/secrets/key-file.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-init-cluster-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

test("makes one encryption key and one secret, which only this user can read", () => {
  const { encryptionKeyFile, clusterSecretFile } = initCluster(join(newFolder(), "made"));
  expect(readKeyFile(encryptionKeyFile)).toHaveLength(1);
  expect(readFileSync(clusterSecretFile, "utf8")).toMatch(/^[A-Za-z0-9_-]{43}\n$/);
  for (const path of [encryptionKeyFile, clusterSecretFile]) expect(statSync(path).mode & 0o777).toBe(0o600);
});

test.for(["encryption.key", "cluster.secret"])("changes nothing where there is a file %s", (name) => {
  const folder = newFolder();
  writeFileSync(join(folder, name), "mine");
  expect(() => initCluster(folder)).toThrow(`${join(folder, name)} is there already`);
  expect(readFileSync(join(folder, name), "utf8")).toBe("mine");
});

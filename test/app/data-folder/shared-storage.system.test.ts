import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { initCluster } from "../../../src/app/commands/init-cluster.ts";
import { resetPassword } from "../../../src/app/commands/reset-password.ts";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import { probeWrite } from "../../../src/store/database/write-probe.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { PostgresServer } from "../../support/processes/postgres-server.ts";

let server: PostgresServer;
let folder: string;
let encryptionKeyFile: string;
beforeAll(async () => {
  server = await PostgresServer.start();
  folder = mkdtempSync(join(tmpdir(), "fanfare-shared-storage-"));
  ({ encryptionKeyFile } = initCluster(join(folder, "secrets")));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await server.close();
});

const configOf = (databaseUrl: string, keyFile = encryptionKeyFile) => ({
  dataDir: join(folder, "unused"),
  encryptionKeyFile: keyFile,
  databaseUrl,
});

test("opens the database at the address, and commands for the password work there", async () => {
  const config = configOf(server.url(await server.newDatabase()));
  const storage = await openStorage(config);
  await probeWrite(storage.database);
  expect(storage).toMatchObject({ newKeyFile: undefined, check: { problems: [], skipped: [] } });
  await storage.close();
  expect(await resetPassword(config)).toMatch(/^\S{20,}$/);
});

test("each thing that is missing or wrong is told in one sentence, without the password", async () => {
  const url = server.url(await server.newDatabase());
  const refusal = (...given: Parameters<typeof configOf>) =>
    openStorage(configOf(...given)).then(
      () => "opened",
      (error: Error) => error.message,
    );
  expect(await refusal(server.url("nowhere"))).toBe(
    `the database postgres://127.0.0.1:${server.port}/nowhere cannot be used (database "nowhere" does not exist): ` +
      "create it with createdb, or correct FANFARE_DATABASE_URL.",
  );
  const silent = await freePort();
  expect(await refusal(`postgres://u:secret@127.0.0.1:${silent}/d`)).toBe(
    `the database postgres://127.0.0.1:${silent}/d cannot be reached (connect ECONNREFUSED 127.0.0.1:${silent}): ` +
      "start it, or correct FANFARE_DATABASE_URL.",
  );
  expect(await refusal(url, join(folder, "none"))).toContain(
    `the encryption key file ${join(folder, "none")} is missing: every server on one database needs the same one.`,
  );
  await (await openStorage(configOf(url))).close();
  const other = initCluster(join(folder, "other")).encryptionKeyFile;
  expect(await refusal(url, other)).toContain(`the encryption key file ${other} lacks the key`);
  await server.query("create role guest login");
  expect(await refusal(url.replace("postgres@", "guest:secret@"))).toContain(
    "make this user the owner of the database.",
  );
  await server.requirePasswords();
  await server.query("create role known login password 'right'");
  expect(await refusal(url.replace("postgres@", "known:wrong@"))).toContain(
    'cannot be used (password authentication failed for user "known"): correct the user or the password in FANFARE_DATABASE_URL.',
  );
});

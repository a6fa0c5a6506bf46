import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { SharedServices } from "../support/cluster/shared-services.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { databaseText } from "./database-text.ts";
import { DATABASES, fillDatabase, RELEASED_CREDENTIALS, type Recorded, readAnswers } from "./released-sample.ts";

const USAGE = `usage: npm run record-database -- VERSION [--of FOLDER] [--only sqlite|postgres]

Runs the server of VERSION, fills its databases, and keeps them in test/fixtures/databases/, with what that server answers
about them: of SQLite, and of PostgreSQL in the folder postgres/. VERSION "next" stands for these sources before their
release. --of: the sources of an earlier version, with their packages installed; these sources by default.
`;

/** The version of sources that are not released yet. */
const NEXT = "next";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { of: { type: "string" }, only: { type: "string" } },
});
const [version, ...rest] = positionals;
const root = values.of ?? ROOT;
if (version === undefined || rest.length > 0 || !["sqlite", "postgres", undefined].includes(values.only)) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const manifest = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
if (manifest.version !== version && version !== NEXT) {
  process.stderr.write(`these are the sources of ${manifest.version}, not of ${version}\n`);
  process.exit(1);
}

if (values.only !== "postgres") await inFolder((folder) => recordSqlite(version, folder));
if (values.only !== "sqlite") await inFolder((folder) => recordPostgres(version, folder));

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-record-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function recordSqlite(version: string, folder: string): Promise<void> {
  const answers = await recordedAnswers({ dataFolder: folder });
  const keyFile = readFileSync(join(folder, "encryption.key"), "utf8");
  keep(DATABASES, { version, timeMs: Date.now(), keyFile, answers }, databaseText(join(folder, "fanfare.db")));
}

async function recordPostgres(version: string, folder: string): Promise<void> {
  const services = await SharedServices.start(folder);
  try {
    const environment = await services.environmentOf("recorder");
    const answers = await recordedAnswers({ dataFolder: join(folder, "data"), environment });
    const { statements, keyFile } = await services.keep();
    keep(join(DATABASES, "postgres"), { version, timeMs: Date.now(), keyFile, answers }, statements);
  } finally {
    await services.close();
  }
}

/** Fills the database of a server, and returns what the server answers about it. */
async function recordedAnswers(
  options: Pick<Parameters<typeof FanfareProcess.start>[0], "dataFolder" | "environment">,
): Promise<Recorded["answers"]> {
  const server = await FanfareProcess.start({ ...options, credentials: RELEASED_CREDENTIALS, root });
  const api = new ApiClient(server.origin, RELEASED_CREDENTIALS, () => undefined, false);
  try {
    await fillDatabase(api);
    await server.stop();
    // What is asked for is what the version reads from its database, not what it still remembers.
    await server.restart();
    const answers = await readAnswers(server.origin);
    await server.stop();
    return answers;
  } finally {
    await server.kill();
  }
}

function keep(folder: string, recorded: Recorded, text: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${recorded.version}.json`), `${JSON.stringify(recorded, undefined, 2)}\n`);
  writeFileSync(join(folder, `${recorded.version}.sql`), text);
}

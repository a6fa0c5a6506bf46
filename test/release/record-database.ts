import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { databaseText } from "./database-text.ts";
import { DATABASES, fillDatabase, RELEASED_CREDENTIALS, type Recorded, readAnswers } from "./released-sample.ts";

const USAGE = `usage: npm run record-database -- VERSION [--of FOLDER]

Runs the server of VERSION, fills its database, and keeps it in test/fixtures/databases/, with what that server answers
about it. --of: the sources of an earlier version, with their packages installed; these sources by default.
`;

const { values, positionals } = parseArgs({ allowPositionals: true, options: { of: { type: "string" } } });
const [version, ...rest] = positionals;
const root = values.of ?? ROOT;
if (version === undefined || rest.length > 0) {
  process.stderr.write(USAGE);
  process.exit(2);
}
const manifest = z.object({ version: z.string() }).parse(JSON.parse(readFileSync(join(root, "package.json"), "utf8")));
if (manifest.version !== version) {
  process.stderr.write(`these are the sources of ${manifest.version}, not of ${version}\n`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), "fanfare-record-"));
try {
  const server = await FanfareProcess.start({ dataFolder: folder, credentials: RELEASED_CREDENTIALS, root });
  const api = new ApiClient(server.origin, RELEASED_CREDENTIALS, () => undefined, false);
  try {
    await fillDatabase(api);
    await server.stop();
    // What is asked for is what the version reads from its database, not what it still remembers.
    await server.restart();
    const answers = await readAnswers(server.origin);
    await server.stop();
    const keyFile = readFileSync(join(folder, "encryption.key"), "utf8");
    const recorded: Recorded = { version, timeMs: Date.now(), keyFile, answers };
    writeFileSync(join(DATABASES, `${version}.json`), `${JSON.stringify(recorded, undefined, 2)}\n`);
    writeFileSync(join(DATABASES, `${version}.sql`), databaseText(join(folder, "fanfare.db")));
  } finally {
    await server.kill();
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

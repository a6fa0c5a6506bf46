import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Kysely } from "kysely";
import { INSTALL_FOLDER } from "../../net/install-folder.ts";
import type { Schema } from "../schema/schema.ts";

/** The version of this program. */
export const PROGRAM_VERSION: string = (
  JSON.parse(readFileSync(join(INSTALL_FOLDER, "package.json"), "utf8")) as { version: string }
).version;

/** Notes that this version wrote the database, so that an older program can name it. Idempotent. */
export async function noteVersion(db: Kysely<Schema>, version: string): Promise<void> {
  const known = await db.selectFrom("program_version").select("id").where("version", "=", version).executeTakeFirst();
  if (known !== undefined) return;
  // Another node may note it at the same time.
  const insert = db.insertInto("program_version").values({ version });
  await insert.onConflict((conflict) => conflict.column("version").doNothing()).execute();
}

/** The newest version that wrote the database. */
export async function lastVersion(db: Kysely<Schema>): Promise<string | undefined> {
  const last = await db.selectFrom("program_version").select("version").orderBy("id", "desc").executeTakeFirst();
  return last?.version;
}

import type { Database } from "./database.ts";

/** What tells this installation from others on the same host; it moves with the database. No secret. */
export function instanceName(database: Database): Promise<string> {
  return database.read(async (db) => {
    const { name } = await db.selectFrom("instance").select("name").executeTakeFirstOrThrow();
    return name;
  });
}

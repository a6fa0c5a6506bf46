import type { Database } from "./database.ts";

/**
 * The name that distinguishes this installation from others on the same host. It moves with the database. Not secret.
 */
export function instanceName(database: Database): Promise<string> {
  return database.read(async (db) => {
    const { name } = await db.selectFrom("instance").select("name").executeTakeFirstOrThrow();
    return name;
  });
}

import type { Kysely } from "kysely";

/**
 * After how many seconds without media, and without video, an encoder counts as frozen. The defaults are the times used
 * before.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const columns = [
    ["freeze_media_seconds", 5],
    ["freeze_video_seconds", 10],
  ] as const;
  for (const [name, seconds] of columns) {
    await db.schema
      .alterTable("channel")
      .addColumn(name, "integer", (column) => column.notNull().defaultTo(seconds))
      .execute();
  }
}

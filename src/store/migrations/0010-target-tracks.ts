import type { Kysely } from "kysely";

/** Which tracks of a stream a target gets. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Null: all of them, as every target got before this setting existed.
  for (const name of ["video_track", "audio_track"]) {
    await db.schema.alterTable("target").addColumn(name, "integer").execute();
  }
}

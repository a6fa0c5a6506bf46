import type { Kysely } from "kysely";
import { changesBetween, hiddenSettings, plainSettings, type Settings } from "../../control/audit/field-changes.ts";
import type { ChannelSource, StoredSource } from "../../control/channels/source.ts";
import type { SourceProgress, SourceStore } from "../../control/ports/source-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Database } from "../database/database.ts";
import type { ChannelSourceRow, Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** Channels' sources. What plays is kept sealed, as JSON: it is only ever read as a whole, and may hold a password. */
export class SqlSourceStore implements SourceStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  listSources(): Promise<readonly StoredSource[]> {
    return this.#database.read(async (db) => {
      const rows = await sourcesOf(db).execute();
      return rows.map((row) => readSource(row, this.#database.secrets));
    });
  }

  findSource(channelId: ChannelId): Promise<StoredSource | undefined> {
    return this.#database.read(async (db) => {
      const row = await sourcesOf(db).where("channel_source.channel_id", "=", channelId).executeTakeFirst();
      return row === undefined ? undefined : readSource(row, this.#database.secrets);
    });
  }

  putSource(channelId: ChannelId, source: ChannelSource | undefined): Promise<void> {
    const { secrets } = this.#database;
    const sealed = source === undefined ? "" : secrets.seal(JSON.stringify(source), placeOf(channelId));
    return this.#put(channelId, { source: sealed });
  }

  putSlate(channelId: ChannelId, slateFileId = ""): Promise<void> {
    return this.#put(channelId, { slate_file_id: slateFileId });
  }

  #put(channelId: ChannelId, changing: Partial<Pick<ChannelSourceRow, "source" | "slate_file_id">>): Promise<void> {
    const { secrets } = this.#database;
    return this.#database.write(async (trx) => {
      const before = await trx
        .selectFrom("channel_source")
        .where("channel_id", "=", channelId)
        .selectAll()
        .executeTakeFirst();
      await trx
        .insertInto("channel_source")
        .values({ ...NOTHING_SET, channel_id: channelId, ...changing })
        .onConflict((conflict) => conflict.column("channel_id").doUpdateSet(changing))
        .execute();
      const row = { ...NOTHING_SET, channel_id: channelId, ...before };
      const after = readSource({ ...row, ...changing }, secrets);
      const changes = changesBetween(settingsOf(readSource(row, secrets)), settingsOf(after));
      if (changes.length > 0) await this.#database.note(trx, { channelId, changes });
    });
  }

  putProgress({ channelId, isWanted, position, scheduled, node }: SourceProgress): Promise<boolean> {
    const run = scheduled === undefined ? "" : JSON.stringify(scheduled);
    const changing = { is_wanted: isWanted ? 1 : 0, position, scheduled: run, node };
    return this.#database.write(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("channel_source")
        .set(changing)
        .where("channel_id", "=", channelId)
        .where((where) =>
          where.or([where("node", "=", node), where.and([where("is_wanted", "=", 0), where("scheduled", "=", "")])]),
        )
        .executeTakeFirst();
      if (numUpdatedRows > 0n) return true;
      const { numInsertedOrUpdatedRows = 0n } = await trx
        .insertInto("channel_source")
        .values({ channel_id: channelId, source: "", slate_file_id: "", ...changing })
        .onConflict((conflict) => conflict.column("channel_id").doNothing())
        .executeTakeFirst();
      return numInsertedOrUpdatedRows > 0n;
    });
  }

  claimSource(channelId: ChannelId, before: number, node: number): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const { numUpdatedRows } = await trx
        .updateTable("channel_source")
        .set({ node })
        .where("channel_id", "=", channelId)
        .where("node", "=", before)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    });
  }
}

/** Those of channels that exist. */
function sourcesOf(db: Kysely<Schema>) {
  return db
    .selectFrom("channel_source")
    .innerJoin("channel", "channel.channel_id", "channel_source.channel_id")
    .where("channel.state", "!=", "deleted")
    .selectAll("channel_source");
}

const NOTHING_SET = { source: "", slate_file_id: "", is_wanted: 0, position: 0, scheduled: "", node: 0 } as const;

type Chosen = { readonly source?: StoredSource["source"] | undefined; readonly slateFileId?: string };

function settingsOf({ source, slateFileId = "" }: Chosen): Settings {
  const files = source?.kind === "files" ? { fileIds: source.fileIds, loop: source.isLooped } : {};
  const pull = source?.kind === "pull" ? { url: source.url } : {};
  return new Map([
    ...plainSettings({ ...files, ...(slateFileId === "" ? {} : { slateFileId }) }),
    ...hiddenSettings(pull),
  ]);
}

function placeOf(channelId: ChannelId) {
  return { table: "channel_source", column: "source", row: channelId };
}

function readSource(row: ChannelSourceRow, secrets: Secrets): StoredSource {
  const text = secrets.open(row.source, placeOf(row.channel_id));
  return {
    channelId: row.channel_id,
    isWanted: row.is_wanted === 1,
    position: row.position,
    node: Number(row.node),
    ...(row.slate_file_id === "" ? {} : { slateFileId: row.slate_file_id }),
    ...(text === "" ? {} : { source: JSON.parse(text) }),
    ...(row.scheduled === "" ? {} : { scheduled: JSON.parse(row.scheduled) }),
  };
}

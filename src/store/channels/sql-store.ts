import type { Transaction } from "kysely";
import type { AuditSubject } from "../../control/audit/audit.ts";
import {
  changesBetween,
  channelChanges,
  hiddenSettings,
  plainSettings,
  type Settings,
} from "../../control/audit/field-changes.ts";
import type { Channel, ChannelRecord, TargetSettings } from "../../control/channels/channel.ts";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import type {
  ChannelCheck,
  ChannelDecision,
  ChannelFilter,
  NewChannel,
  Page,
  RemovedTarget,
  Store,
  TargetDecision,
  TotalsBatch,
} from "../../control/ports/store.ts";
import type { IngestUser } from "../../thread-protocol/admission.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import {
  deleteKey,
  insertFirstManager,
  insertKey,
  selectAnyManager,
  selectKey,
  selectKeyBySecret,
  selectKeys,
  updateLastUsed,
} from "../access/access-keys.ts";
import type { Database } from "../database/database.ts";
import { lockChannel } from "../database/locks.ts";
import { takeNumber } from "../database/numbers.ts";
import { nextRevision } from "../database/timeline.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { backupKeyColumns, channelColumns, srtPassphraseColumns, streamKeyColumns } from "./channel-columns.ts";
import { selectChannelIds, selectChannels } from "./channel-list.ts";
import { checkLoginIsFree, ingestLoginColumns, NO_INGEST_LOGIN, selectIngestUser } from "./ingest-logins.ts";
import { raiseRevision, readChangedChannel, selectChannel, selectChannelByKey } from "./one-channel.ts";
import { alertColumns, freezeColumns, labelColumns, readTarget } from "./rows.ts";
import { insertTargets, targetChangeColumns } from "./target-columns.ts";
import { writeTotals } from "./total-rows.ts";

/** The store over any SQL database that Kysely speaks. Only SQL that SQLite and PostgreSQL both understand. */
export class SqlStore implements Store {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  createChannel(channel: NewChannel): Promise<Channel> {
    return this.#database.write(async (trx) => {
      await checkLoginIsFree(trx, this.#secrets, channel.channelId, channel.ingestLogin);
      await trx
        .insertInto("channel")
        .values({
          channel_id: channel.channelId,
          instance_no: await takeNumber(trx, "channel"),
          name: channel.name,
          plan_type: channel.planType,
          env_type: channel.envType,
          ...labelColumns(channel.labels ?? []),
          ...alertColumns(channel.alerts),
          state: "live",
          hold_seconds: channel.holdSeconds,
          latency: channel.latency,
          ...freezeColumns(channel.freeze),
          is_recorded: channel.isRecorded === true ? 1 : 0,
          ...streamKeyColumns(this.#secrets, channel.channelId, channel.streamKey),
          ...backupKeyColumns(this.#secrets, channel.channelId, channel.backupStreamKey ?? ""),
          ...ingestLoginColumns(this.#secrets, channel.channelId, channel.ingestLogin ?? { id: "", password: "" }),
          ...srtPassphraseColumns(this.#secrets, channel.channelId, channel.srtPassphrase ?? ""),
          created_time: channel.createdTime,
          revision: 1,
          publish_ms: 0,
          recent_publish_start_time: null,
        })
        .execute();
      await insertTargets(trx, this.#secrets, channel.channelId, channel.targets);
      const created = required(await selectChannel(trx, this.#secrets, channel.channelId));
      await this.#note(trx, undefined, created);
      return created;
    });
  }

  listChannels(
    filter: ChannelFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelRecord[]; readonly total: number }> {
    return this.#database.read((db) => selectChannels(db, this.#secrets, filter, page));
  }

  listChannelIds(): Promise<readonly ChannelId[]> {
    return this.#database.read(selectChannelIds);
  }

  findChannel(channelId: ChannelId): Promise<Channel | undefined> {
    return this.#database.read((db) => selectChannel(db, this.#secrets, channelId));
  }

  findChannelByStreamKey(streamKey: string): Promise<Channel | undefined> {
    return this.#database.read((db) => selectChannelByKey(db, this.#secrets, streamKey));
  }

  findIngestUser(userId: string): Promise<IngestUser | undefined> {
    return this.#database.read((db) => selectIngestUser(db, this.#secrets, userId));
  }

  deleteChannel(channelId: ChannelId): Promise<Channel | undefined> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const channel = await selectChannel(trx, this.#secrets, channelId);
      if (channel === undefined) return undefined;
      await trx
        .updateTable("channel")
        .set({ state: "deleted", ...NO_INGEST_LOGIN, revision: nextRevision(trx) })
        .where("channel_id", "=", channelId)
        .execute();
      await this.#note(trx, channel, undefined);
      return { ...channel, state: "deleted", revision: channel.revision + 1 };
    });
  }

  changeChannel(channelId: ChannelId, decide: ChannelDecision): Promise<Channel | undefined> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const channel = await selectChannel(trx, this.#secrets, channelId);
      if (channel === undefined) return undefined;
      const change = decide(channel);
      if (change === undefined) return channel;
      await checkLoginIsFree(trx, this.#secrets, channelId, change.ingestLogin);
      const row = await trx
        .updateTable("channel")
        .set({ ...channelColumns(this.#secrets, channel, change), revision: nextRevision(trx) })
        .where("channel_id", "=", channelId)
        .returningAll()
        .executeTakeFirstOrThrow();
      return this.#changed(trx, channel, readChangedChannel(row, channel, this.#secrets));
    });
  }

  addTarget(channelId: ChannelId, target: TargetSettings, check: ChannelCheck): Promise<Channel | undefined> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const channel = await selectChannel(trx, this.#secrets, channelId);
      if (channel === undefined) return undefined;
      check(channel);
      await insertTargets(trx, this.#secrets, channelId, [target]);
      await raiseRevision(trx, channelId);
      const added = required(await selectChannel(trx, this.#secrets, channelId));
      const targetId = added.targets.at(-1)?.targetId;
      return this.#changed(trx, channel, added, targetId === undefined ? {} : { targetId });
    });
  }

  removeTarget(channelId: ChannelId, targetId: TargetId): Promise<RemovedTarget | undefined> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const present = await selectChannel(trx, this.#secrets, channelId);
      const removed = present?.targets.find((target) => target.targetId === targetId);
      if (removed === undefined) return undefined;
      await trx.deleteFrom("target").where("target_id", "=", targetId).execute();
      await raiseRevision(trx, channelId);
      const channel = required(await selectChannel(trx, this.#secrets, channelId));
      await this.#note(trx, present, channel);
      return { channel, removed };
    });
  }

  changeTarget(channelId: ChannelId, targetId: TargetId, decide: TargetDecision): Promise<Channel | undefined> {
    return this.#database.write(async (trx) => {
      await lockChannel(trx, channelId);
      const channel = await selectChannel(trx, this.#secrets, channelId);
      const present = channel?.targets.find((target) => target.targetId === targetId);
      if (channel === undefined || present === undefined) return undefined;
      const change = decide(present);
      if (change === undefined) return channel;
      const row = await trx
        .updateTable("target")
        .set(targetChangeColumns(this.#secrets, targetId, change))
        .where("target_id", "=", targetId)
        .returningAll()
        .executeTakeFirstOrThrow();
      const changed = readTarget(row, this.#secrets);
      const targets = channel.targets.map((target) => (target.targetId === targetId ? changed : target));
      return this.#changed(trx, channel, { ...channel, targets, revision: await raiseRevision(trx, channelId) });
    });
  }

  addTotals(batch: TotalsBatch): Promise<void> {
    // Does not wait for a lock: reads would wait meanwhile, and the next batch includes what this one could not write.
    return this.#database.write((trx) => writeTotals(trx, batch), 0);
  }

  putAccessKey(key: AccessKey): Promise<void> {
    return this.#database.write(async (trx) => {
      const before = await selectKey(trx, this.#secrets, key.accessKeyId);
      await insertKey(trx, this.#secrets, key);
      await this.#noteKey(trx, before, key);
    });
  }

  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined> {
    return this.#database.read((db) => selectKey(db, this.#secrets, accessKeyId));
  }

  findAccessKeyBySecret(secretKey: string): Promise<AccessKey | undefined> {
    return this.#database.read((db) => selectKeyBySecret(db, this.#secrets, secretKey));
  }

  hasManagerKey(): Promise<boolean> {
    return this.#database.read(selectAnyManager);
  }

  putFirstManagerKey(key: AccessKey): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const isFirst = await insertFirstManager(trx, this.#secrets, key);
      if (isFirst) await this.#noteKey(trx, undefined, key);
      return isFirst;
    });
  }

  listAccessKeys(): Promise<readonly AccessKey[]> {
    return this.#database.read((db) => selectKeys(db, this.#secrets));
  }

  deleteAccessKey(accessKeyId: string): Promise<AccessKey | "last-manager" | undefined> {
    return this.#database.write(async (trx) => {
      const deleted = await deleteKey(trx, this.#secrets, accessKeyId);
      if (deleted !== undefined && deleted !== "last-manager") await this.#noteKey(trx, deleted, undefined);
      return deleted;
    });
  }

  markAccessKeyUsed(accessKeyId: string, time: number): Promise<void> {
    return this.#database.write((trx) => updateLastUsed(trx, accessKeyId, time));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  async #note(trx: Transaction<Schema>, before?: Channel, after?: Channel, about: AuditSubject = {}): Promise<void> {
    const channelId = (after ?? before)?.channelId;
    if (channelId === undefined) return;
    await this.#database.note(trx, { channelId, ...about, changes: channelChanges(before, after) });
  }

  /** Notes the change, and returns the channel after it. */
  async #changed(trx: Transaction<Schema>, before: Channel, after: Channel, about?: AuditSubject): Promise<Channel> {
    await this.#note(trx, before, after, about);
    return after;
  }

  #noteKey(trx: Transaction<Schema>, before: AccessKey | undefined, after: AccessKey | undefined): Promise<void> {
    const changes = changesBetween(keySettings(before), keySettings(after));
    return this.#database.note(trx, { subject: (after ?? before)?.accessKeyId ?? "", changes });
  }

  get #secrets(): Secrets {
    return this.#database.secrets;
  }
}

function keySettings(key: AccessKey | undefined): Settings {
  const { role, name, secretKey } = key ?? {};
  return new Map([...plainSettings({ role, name }), ...hiddenSettings({}, { secretKey })]);
}

function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new Error("a row written in this transaction is not there");
  return value;
}

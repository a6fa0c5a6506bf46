import type { Kysely, SelectQueryBuilder, Transaction } from "kysely";
import {
  type AuditAction,
  type AuditActorKind,
  type AuditClient,
  WITHOUT_WEBHOOK,
} from "../../api-contract/audit/audit-actions.ts";
import { auditSentence } from "../../api-contract/audit/audit-words.ts";
import type {
  AuditFilter,
  AuditRecord,
  AuditScope,
  AuditStore,
  FieldChange,
  NotedChange,
} from "../../control/audit/audit.ts";
import type { Page } from "../../control/ports/store.ts";
import { countRows } from "../database/count-rows.ts";
import type { Database } from "../database/database.ts";
import { numberForRow } from "../database/numbers.ts";
import { wordOf } from "../database/one-of.ts";
import { appendServerEvent } from "../events/event-store.ts";
import type { AuditRow } from "../schema/event-schema.ts";
import type { Schema } from "../schema/schema.ts";

/** Keeps the changes of this database from now on. `current`: the change that the running request makes. */
export function keepAudit(database: Database, current: () => AuditScope | undefined): SqlAuditStore {
  return new SqlAuditStore(database, current);
}

/** The audit, written in the transactions of the changes themselves. */
export class SqlAuditStore implements AuditStore {
  readonly #database: Database;

  /** `current`: the change that the running request makes. */
  constructor(database: Database, current: () => AuditScope | undefined) {
    this.#database = database;
    database.noteChangesWith(async (trx, change) => {
      const scope = current();
      if (scope === undefined || scope.state === "closed") return;
      await this.#note(trx, scope, change);
      scope.state = "noted";
    });
  }

  async appendAudit(scope: AuditScope): Promise<void> {
    const { about, changes = [] } = scope;
    // Without a delivery it is one statement on PostgreSQL.
    if (this.#database.isShared && about.channelId !== undefined)
      await this.#database.writeOnce((db) => insertRecord(db, scope, { changes }));
    else await this.#database.write((trx) => this.#insert(trx, scope, { changes }));
  }

  listAudit(
    filter: AuditFilter,
    page: Page,
  ): Promise<{ readonly records: readonly AuditRecord[]; readonly total: number }> {
    return this.#database.read(async (db) => {
      const rows = await filtered(db.selectFrom("audit"), filter)
        .selectAll()
        .orderBy("audit_id", "desc")
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      const total = await countRows(db, filtered(db.selectFrom("audit"), filter), page);
      return { records: rows.map(readRecord), total };
    });
  }

  pruneAudit(time: number, rowsMax: number, limit: number): Promise<number> {
    return this.#database.write(async (trx) => {
      const beyond = await trx
        .selectFrom("audit")
        .orderBy("audit_id", "desc")
        .offset(rowsMax)
        .limit(1)
        .select("audit_id")
        .executeTakeFirst();
      const old = await trx
        .selectFrom("audit")
        .where(({ or, eb }) =>
          or([eb("time", "<", time), ...(beyond === undefined ? [] : [eb("audit_id", "<=", beyond.audit_id)])]),
        )
        .orderBy("audit_id")
        .limit(limit)
        .select("audit_id")
        .execute();
      if (old.length === 0) return 0;
      const ids = old.map((row) => row.audit_id);
      await trx.deleteFrom("audit").where("audit_id", "in", ids).execute();
      return ids.length;
    });
  }

  /** A request with two transactions has one record with the changes of both. */
  async #note(trx: Transaction<Schema>, scope: AuditScope, change: NotedChange): Promise<void> {
    if (await this.#insert(trx, scope, change)) return;
    const known = await selectRecord(trx, scope.traceId);
    const changes = JSON.stringify([...(JSON.parse(known.changes) as FieldChange[]), ...change.changes]);
    await trx.updateTable("audit").set({ changes }).where("audit_id", "=", known.audit_id).execute();
  }

  /** False where the request has a record. */
  async #insert(trx: Transaction<Schema>, scope: AuditScope, change: NotedChange): Promise<boolean> {
    const record = await insertRecord(trx, scope, change);
    if (record === undefined) return false;
    // What changes a channel is an event of that channel already.
    if (record.channelId !== undefined || WITHOUT_WEBHOOK.includes(record.action)) return true;
    const { time, origin } = scope;
    const description = auditSentence(record);
    await appendServerEvent(trx, this.#database, { time, description, by: origin.actorId ?? origin.actor });
    return true;
  }
}

/** Stores a record in one statement. Returns it, without the channel's name; undefined where its trace id has one. */
async function insertRecord(
  db: Kysely<Schema>,
  { action, time, traceId, origin, about }: AuditScope,
  change: NotedChange,
): Promise<AuditRecord | undefined> {
  const { channelId, targetId, subject, changes } = { ...about, ...change };
  const row = {
    ...{ time, action, trace_id: traceId, actor: origin.actor, client: origin.client },
    actor_id: origin.actorId ?? null,
    actor_name: origin.actorName ?? null,
    remote_address: origin.remoteAddress ?? null,
    user_agent: origin.userAgent ?? null,
    channel_id: channelId ?? null,
    target_id: targetId ?? null,
    subject: subject ?? null,
    changes: JSON.stringify(changes),
  };
  const channelName = db
    .selectFrom("channel")
    .where("channel_id", "=", channelId ?? "")
    .select("name");
  const inserted = await db
    .insertInto("audit")
    .values({ ...row, audit_id: await numberForRow(db, "audit"), channel_name: channelName })
    .onConflict((conflict) => conflict.column("trace_id").doNothing())
    .returning("audit_id")
    .executeTakeFirst();
  return inserted === undefined ? undefined : readRecord({ ...row, ...inserted, channel_name: null });
}

function selectRecord(trx: Transaction<Schema>, traceId: string) {
  return trx
    .selectFrom("audit")
    .where("trace_id", "=", traceId)
    .select(["audit_id", "changes"])
    .executeTakeFirstOrThrow();
}

function filtered<Row>(query: SelectQueryBuilder<Schema, "audit", Row>, filter: AuditFilter) {
  const { channelId, actor, action, from, to } = filter;
  let narrowed = query;
  if (channelId !== undefined) narrowed = narrowed.where("channel_id", "=", channelId);
  if (actor !== undefined)
    narrowed = narrowed.where(({ or, eb }) => or([eb("actor_id", "=", actor), eb("actor", "=", actor)]));
  if (action !== undefined) narrowed = narrowed.where("action", "=", action);
  if (from !== undefined) narrowed = narrowed.where("time", ">=", from);
  if (to !== undefined) narrowed = narrowed.where("time", "<=", to);
  return narrowed;
}

function readRecord(row: AuditRow): AuditRecord {
  return {
    auditId: Number(row.audit_id),
    time: Number(row.time),
    action: wordOf<AuditAction>(row.action),
    traceId: row.trace_id,
    actor: wordOf<AuditActorKind>(row.actor),
    ...(row.actor_id === null ? {} : { actorId: row.actor_id }),
    ...(row.actor_name === null ? {} : { actorName: row.actor_name }),
    client: wordOf<AuditClient>(row.client),
    ...(row.remote_address === null ? {} : { remoteAddress: row.remote_address }),
    ...(row.user_agent === null ? {} : { userAgent: row.user_agent }),
    ...(row.channel_id === null ? {} : { channelId: row.channel_id }),
    ...(row.channel_name === null ? {} : { channelName: row.channel_name }),
    ...(row.target_id === null ? {} : { targetId: Number(row.target_id) }),
    ...(row.subject === null ? {} : { subject: row.subject }),
    changes: JSON.parse(row.changes) as FieldChange[],
  };
}

import type { Transaction } from "kysely";
import { AUDIT_SECRET } from "../../api-contract/audit/audit-actions.ts";
import {
  type DashboardSession,
  type DashboardStore,
  SESSIONS_MAX,
  type SetupToken,
} from "../../control/access/dashboard-access.ts";
import type { Database } from "../database/database.ts";
import { lockName, sharePassword } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import { deleteEndedPushes } from "./push-store.ts";

/** There is one dashboard: one password, one set-up token. */
const ONLY = 1;
const PASSWORD = { field: "password" } as const;

/**
 * The dashboard's password as its argon2 hash, and tokens as their SHA-256. Nothing stored here can be used to sign in.
 */
export class SqlDashboardStore implements DashboardStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  findPasswordHash(): Promise<string | undefined> {
    return this.#database.read(async (db) => {
      const row = await db.selectFrom("dashboard_password").select("hash").executeTakeFirst();
      return row?.hash;
    });
  }

  putSetupToken(token: SetupToken, now: number): Promise<boolean> {
    return this.#database.write(async (trx) => {
      if (this.#database.isShared) {
        await lockName(trx, "set-up-link");
        const offered = trx.selectFrom("dashboard_setup").where("expires_time", ">", now).select("id");
        if ((await offered.executeTakeFirst()) !== undefined) return false;
      }
      await replaceSetup(trx, token);
      return true;
    });
  }

  resetPassword(token: SetupToken): Promise<void> {
    return this.#database.write(async (trx) => {
      await trx.deleteFrom("dashboard_password").execute();
      await trx.deleteFrom("dashboard_session").execute();
      await deleteEndedPushes(trx);
      await replaceSetup(trx, token);
      await this.#database.note(trx, { changes: [{ ...PASSWORD, before: AUDIT_SECRET }] });
    });
  }

  hasSetupToken(tokenHash: string, now: number): Promise<boolean> {
    return this.#database.read(async (db) => {
      const row = await db
        .selectFrom("dashboard_setup")
        .where("token_hash", "=", tokenHash)
        .where("expires_time", ">", now)
        .select("id")
        .executeTakeFirst();
      return row !== undefined;
    });
  }

  completeSetup(tokenHash: string, now: number, passwordHash: string, session: DashboardSession): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const used = await trx
        .deleteFrom("dashboard_setup")
        .where("token_hash", "=", tokenHash)
        .where("expires_time", ">", now)
        .executeTakeFirst();
      if (used.numDeletedRows === 0n) return false;
      await trx
        .insertInto("dashboard_password")
        .values({ id: ONLY, hash: passwordHash })
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ hash: passwordHash }))
        .execute();
      await trx.deleteFrom("dashboard_session").execute();
      await insertSession(trx, session);
      await this.#database.note(trx, { changes: [{ ...PASSWORD, after: AUDIT_SECRET }] });
      return true;
    });
  }

  changePassword(oldHash: string, newHash: string, session: DashboardSession): Promise<boolean> {
    return this.#database.write(async (trx) => {
      const changed = await trx
        .updateTable("dashboard_password")
        .set({ hash: newHash })
        .where("hash", "=", oldHash)
        .executeTakeFirst();
      if (changed.numUpdatedRows === 0n) return false;
      await trx.deleteFrom("dashboard_session").execute();
      await insertSession(trx, session);
      await this.#database.note(trx, { changes: [{ ...PASSWORD, before: AUDIT_SECRET, after: AUDIT_SECRET }] });
      return true;
    });
  }

  addSession(session: DashboardSession, checkedHash: string): Promise<boolean> {
    return this.#database.write(async (trx) => {
      await sharePassword(trx);
      const present = await trx
        .selectFrom("dashboard_password")
        .where("hash", "=", checkedHash)
        .select("id")
        .executeTakeFirst();
      if (present === undefined) return false;
      await insertSession(trx, session);
      await this.#database.note(trx, { changes: [] });
      return true;
    });
  }

  findSession(tokenHash: string): Promise<DashboardSession | undefined> {
    return this.#database.read(async (db) => {
      const row = await db
        .selectFrom("dashboard_session")
        .where("token_hash", "=", tokenHash)
        .select("last_used_time")
        .executeTakeFirst();
      return row === undefined ? undefined : { tokenHash, lastUsedTime: Number(row.last_used_time) };
    });
  }

  listSessions(): Promise<readonly DashboardSession[]> {
    return this.#database.read(async (db) => {
      const rows = await db.selectFrom("dashboard_session").selectAll().execute();
      return rows.map((row) => ({ tokenHash: row.token_hash, lastUsedTime: Number(row.last_used_time) }));
    });
  }

  async markSessionUsed(tokenHash: string, time: number): Promise<void> {
    await this.#database.write((trx) =>
      trx.updateTable("dashboard_session").set({ last_used_time: time }).where("token_hash", "=", tokenHash).execute(),
    );
  }

  async deleteSession(tokenHash: string): Promise<void> {
    await this.#database.write(async (trx) => {
      await trx.deleteFrom("dashboard_session").where("token_hash", "=", tokenHash).execute();
      await deleteEndedPushes(trx);
      await this.#database.note(trx, { changes: [] });
    });
  }
}

async function replaceSetup(trx: Transaction<Schema>, { tokenHash, expiresTime }: SetupToken): Promise<void> {
  const token = { token_hash: tokenHash, expires_time: expiresTime };
  await trx
    .insertInto("dashboard_setup")
    .values({ id: ONLY, ...token })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(token))
    .execute();
}

/** Above the limit, the sessions that were unused for longest end first. */
async function insertSession(trx: Transaction<Schema>, { tokenHash, lastUsedTime }: DashboardSession): Promise<void> {
  await trx.insertInto("dashboard_session").values({ token_hash: tokenHash, last_used_time: lastUsedTime }).execute();
  const kept = trx
    .selectFrom("dashboard_session")
    .select("token_hash")
    .orderBy("last_used_time", "desc")
    .limit(SESSIONS_MAX);
  await trx
    .deleteFrom("dashboard_session")
    .where("token_hash", "not in", kept)
    .where("token_hash", "!=", tokenHash)
    .execute();
  await deleteEndedPushes(trx);
}

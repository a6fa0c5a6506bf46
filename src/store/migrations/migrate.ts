import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { DEFAULT_MIGRATION_TABLE, Migrator } from "kysely/migration";
import { DatabaseFileError } from "../database/database-trouble.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { up as createChannels } from "./0001-channels.ts";
import { up as addChannelSettings } from "./0002-channel-settings.ts";
import { up as createEvents } from "./0003-events.ts";
import { up as sealSecrets } from "./0004-secrets.ts";
import { up as addHoldAndBackup } from "./0005-hold-and-backup.ts";
import { up as listChannels } from "./0006-channel-listing.ts";
import { up as addDeliveryHosts } from "./0007-delivery-hosts.ts";
import { up as sealAddresses } from "./0008-sealed-addresses.ts";
import { up as addTargetTrust } from "./0009-target-trust.ts";
import { up as addTargetTracks } from "./0010-target-tracks.ts";
import { up as addIngestLogin } from "./0011-ingest-login.ts";
import { up as addDashboard } from "./0012-dashboard.ts";
import { up as addLatency } from "./0014-latency.ts";
import { up as addReports } from "./0015-reports.ts";
import { up as addEventTargetNames } from "./0016-event-target-names.ts";
import { up as addFreezeTimes } from "./0021-freeze-times.ts";
import { up as addProgramVersions } from "./0022-program-versions.ts";
import { up as addInstance } from "./0023-instance.ts";
import { up as addTimedData } from "./0024-timed-data.ts";
import { up as nameDeliveryQueues } from "./0025-delivery-queues.ts";
import { up as addHistory } from "./0026-history.ts";
import { up as addLabels } from "./0027-labels.ts";
import { up as addSequences } from "./0028-sequences.ts";
import { up as addPush } from "./0029-push.ts";
import { up as addNodes } from "./0030-nodes.ts";
import { up as addEventAddresses } from "./0031-event-addresses.ts";
import { up as addSeveralNodes } from "./0032-several-nodes.ts";
import { up as addSources } from "./0033-sources.ts";
import { up as addRecordings } from "./0034-recordings.ts";
import { up as addSilentAudio } from "./0035-silent-audio.ts";
import { up as addSlates } from "./0036-slates.ts";
import { up as addRefusedEncoders } from "./0037-refused-encoders.ts";
import { up as addTargetDelay } from "./0038-target-delay.ts";
import { up as addSrtPassphrase } from "./0039-srt-passphrase.ts";
import { up as addSchedules } from "./0040-schedules.ts";
import { up as addAudit } from "./0041-audit.ts";
import { up as addTargetWindows } from "./0042-target-windows.ts";
import { up as addContacts } from "./0043-contacts.ts";
import { up as addSourceNodes } from "./0044-source-nodes.ts";
import { up as addTimeline } from "./0045-timeline.ts";
import { up as searchChannels } from "./0046-channel-search.ts";
import { up as countChannels } from "./0047-channel-counts.ts";
import { up as listInRowsOfTheirOwn } from "./0048-listed-channels.ts";
import { lastVersion, noteVersion, PROGRAM_VERSION } from "./program-version.ts";
import { areCompatible, noteCompatibility } from "./schema-compat.ts";

/** Every step, in order. A released step never changes. The database remembers the names of its steps. */
export function migrations(secrets: Secrets): Record<string, Migration> {
  return {
    "0001-channels": { up: createChannels },
    "0002-channel-settings": { up: addChannelSettings },
    "0003-events": { up: createEvents },
    "0004-secrets": { up: (db) => sealSecrets(db, secrets) },
    "0005-hold-and-backup": { up: addHoldAndBackup },
    "0006-channel-listing": { up: listChannels },
    "0007-delivery-hosts": { up: addDeliveryHosts },
    "0008-sealed-addresses": { up: (db) => sealAddresses(db, secrets) },
    "0009-target-trust": { up: addTargetTrust },
    "0010-target-tracks": { up: addTargetTracks },
    "0011-ingest-login": { up: addIngestLogin },
    "0012-dashboard": { up: addDashboard },
    "0014-latency": { up: addLatency },
    "0015-reports": { up: addReports },
    "0016-event-target-names": { up: addEventTargetNames },
    "0021-freeze-times": { up: addFreezeTimes },
    "0022-program-versions": { up: addProgramVersions },
    "0023-instance": { up: addInstance },
    "0024-timed-data": { up: addTimedData },
    "0025-delivery-queues": { up: nameDeliveryQueues },
    "0026-history": { up: addHistory },
    "0027-labels": { up: addLabels },
    "0028-sequences": { up: addSequences },
    "0029-push": { up: addPush },
    "0030-nodes": { up: addNodes },
    "0031-event-addresses": { up: addEventAddresses },
    "0032-several-nodes": { up: addSeveralNodes },
    "0033-sources": { up: addSources },
    "0034-recordings": { up: addRecordings },
    "0035-silent-audio": { up: addSilentAudio },
    "0036-slates": { up: addSlates },
    "0037-refused-encoders": { up: addRefusedEncoders },
    "0038-target-delay": { up: addTargetDelay },
    "0039-srt-passphrase": { up: addSrtPassphrase },
    "0040-schedules": { up: addSchedules },
    "0041-audit": { up: addAudit },
    "0042-target-windows": { up: addTargetWindows },
    "0043-contacts": { up: addContacts },
    "0044-source-nodes": { up: addSourceNodes },
    "0045-timeline": { up: addTimeline },
    "0046-channel-search": { up: searchChannels },
    "0047-channel-counts": { up: countChannels },
    "0048-listed-channels": { up: listInRowsOfTheirOwn },
  };
}

/** The name of the newest step that this program knows. */
export function newestStep(secrets: Secrets): string {
  return Object.keys(migrations(secrets)).at(-1) ?? "";
}

/**
 * Brings the tables up to date: runs each missing step, all in one transaction. Throws where a step fails, and
 * DatabaseFileError where a newer version wrote the database; nothing is changed then.
 */
export async function migrate(db: Kysely<Schema>, secrets: Secrets, path: string): Promise<void> {
  const done = await stepsDone(db, secrets, path);
  // Kysely's migrator refuses a database with a step that it does not know.
  if (done.length > 0 && Object.keys(migrations(secrets)).every((step) => done.includes(step))) return note(db);
  const provider = { getMigrations: () => Promise.resolve(migrations(secrets)) };
  const { error } = await new Migrator({ db, provider }).migrateToLatest();
  if (error !== undefined) throw new Error(`the database ${path} could not be brought up to date`, { cause: error });
  await note(db);
}

/** What this program leaves for older ones. */
async function note(db: Kysely<Schema>): Promise<void> {
  await noteCompatibility(db);
  await noteVersion(db, PROGRAM_VERSION);
}

/** Whether the database can be used without any migration. Throws DatabaseFileError where a newer version wrote it. */
export async function isUpToDate(db: Kysely<Schema>, secrets: Secrets, path: string): Promise<boolean> {
  const done = await stepsDone(db, secrets, path);
  return Object.keys(migrations(secrets)).every((step) => done.includes(step));
}

/** Returns the steps that the database has. Throws DatabaseFileError where a newer version's cannot be worked with. */
async function stepsDone(db: Kysely<Schema>, secrets: Secrets, path: string): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  const rows = await sql<{
    name: string;
  }>`SELECT name FROM ${sql.table(DEFAULT_MIGRATION_TABLE)} ORDER BY name`.execute(db);
  const done = rows.rows.map(({ name }) => name);
  const known = Object.keys(migrations(secrets));
  const unknown = done.filter((step) => !known.includes(step));
  if (unknown.length === 0) return done;
  const hasCompatibility = tables.some(({ name }) => name === "schema_compat");
  if (hasCompatibility && (await areCompatible(db, unknown, known))) return done;
  const writer = tables.some(({ name }) => name === "program_version") ? await lastVersion(db) : undefined;
  throw new DatabaseFileError(
    `the database ${path} was written by a newer Fanfare (${writer ?? "unknown"}, with the step ${unknown.at(-1)}) than this one ` +
      `(${PROGRAM_VERSION}, whose last step is ${known.at(-1)}): run that version or a newer one, or restore the backup from before the update ` +
      "(fanfare restore FOLDER).",
  );
}

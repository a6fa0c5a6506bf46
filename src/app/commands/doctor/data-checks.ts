import { existsSync } from "node:fs";
import { FFMPEG_MISSING, findFfmpeg } from "../../../ffmpeg/find-ffmpeg.ts";
import { readTargetAddresses, type TargetAddresses } from "../../../store/channels/target-addresses.ts";
import { clockAheadOf } from "../../../store/database/database-time.ts";
import { damageAdvice, openFailure } from "../../../store/database/database-trouble.ts";
import { readPostgresDatabase } from "../../../store/postgres/read-postgres.ts";
import { readKeyFile } from "../../../store/secrets/key-file.ts";
import { checkProofs, isSealed } from "../../../store/secrets/key-proof.ts";
import { Secrets } from "../../../store/secrets/secrets.ts";
import { wholeCheck } from "../../../store/sqlite/quick-check.ts";
import { openReadable } from "../../../store/sqlite/read-only.ts";
import { tablesOver } from "../../../store/sqlite/tables.ts";
import {
  type DataPaths,
  dataPaths,
  keysName,
  type SharedConfig,
  type StorageConfig,
  sharedKeys,
} from "../../data-folder/storage.ts";
import type { Finding } from "./finding.ts";

/** What the database showed. */
export type DataExamination = {
  readonly findings: readonly Finding[];
  /** Absent: they could not be read. */
  readonly targets?: TargetAddresses;
  /** How far the clock of the database's server is ahead of this machine's, in milliseconds; absent: a file. */
  readonly clockAheadMs?: number;
};

/** Checks the whole database, and that the keys open it. A server may run. Changes nothing. */
export async function examineData(config: StorageConfig): Promise<DataExamination> {
  const { databaseUrl } = config;
  return databaseUrl === undefined
    ? await examineFolder(dataPaths(config))
    : await examinePostgres({ ...config, databaseUrl });
}

/** FFmpeg is no problem where it is missing: only files and what is made of them need it. */
export function ffmpegFinding(): Finding {
  const found = findFfmpeg();
  return found === undefined
    ? { check: "ffmpeg", state: "warning", text: FFMPEG_MISSING }
    : { check: "ffmpeg", state: "ok", text: `${found.ffmpeg} and ${found.ffprobe}: files can be played.` };
}

async function examineFolder(paths: DataPaths): Promise<DataExamination> {
  if (!existsSync(paths.database)) {
    const text = `there is no database in ${paths.folder}: name the data folder with --data-dir.`;
    return { findings: [{ check: "database", state: "failed", text }] };
  }
  const damage = checkPages(paths);
  if (damage.length > 0) return { findings: damage.map((text) => ({ check: "database", state: "failed", text })) };
  const intact: Finding = {
    check: "database",
    state: "ok",
    text: `${paths.database}: every page, row and index is intact.`,
  };
  const { finding, targets } = await checkKeys(paths);
  return { findings: [intact, finding], ...(targets === undefined ? {} : { targets }) };
}

function checkPages({ database: path }: DataPaths): readonly string[] {
  try {
    const connection = openReadable(path);
    const found = wholeCheck(connection);
    connection.close();
    return found.length === 0 ? [] : [...found.map((text) => `${path}: ${text}`), `What to do: ${damageAdvice(path)}`];
  } catch (error) {
    return [openFailure(path, error).message];
  }
}

type KeysChecked = { readonly finding: Finding; readonly targets?: TargetAddresses };

async function checkKeys({ database: path, keyFile }: DataPaths): Promise<KeysChecked> {
  try {
    const keys = readKeyFile(keyFile);
    if (keys === undefined)
      return { finding: keysFailed(`the encryption key file ${keyFile} is missing: put back your copy of it.`) };
    const db = tablesOver(openReadable(path));
    try {
      await checkProofs(db, keys, keyFile);
      return { finding: keysOpen(keyFile), targets: await readTargetAddresses(db, new Secrets(keys)) };
    } finally {
      await db.destroy();
    }
  } catch (error) {
    return { finding: keysFailed(textOf(error)) };
  }
}

/** PostgreSQL checks its own pages, with pg_amcheck. */
async function examinePostgres(config: SharedConfig): Promise<DataExamination> {
  try {
    return await readPostgresDatabase(config.databaseUrl, async (db, server) => {
      const clockAheadMs = await clockAheadOf(db);
      const reached = `${server}: takes connections and writes`;
      if (!(await isSealed(db))) {
        const text = `${reached}; it is empty, and the first start of a server makes its tables.`;
        return { findings: [{ check: "database", state: "warning", text }], clockAheadMs };
      }
      const usable: Finding = {
        check: "database",
        state: "ok",
        text: `${reached}. pg_amcheck looks for damage in it.`,
      };
      try {
        const keys = sharedKeys(config);
        await checkProofs(db, keys, keysName(config));
        const targets = await readTargetAddresses(db, new Secrets(keys));
        return { findings: [usable, keysOpen(keysName(config))], targets, clockAheadMs };
      } catch (error) {
        return { findings: [usable, keysFailed(textOf(error))], clockAheadMs };
      }
    });
  } catch (error) {
    return { findings: [{ check: "database", state: "failed", text: textOf(error) }] };
  }
}

const keysOpen = (keysFrom: string): Finding => ({
  check: "keys",
  state: "ok",
  text: `${keysFrom}: opens every secret.`,
});

const keysFailed = (text: string): Finding => ({ check: "keys", state: "failed", text });

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

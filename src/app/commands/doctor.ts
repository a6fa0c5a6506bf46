import { existsSync } from "node:fs";
import { FFMPEG_MISSING, findFfmpeg } from "../../ffmpeg/find-ffmpeg.ts";
import { damageAdvice, openFailure } from "../../store/database/database-trouble.ts";
import { readKeyFile } from "../../store/secrets/key-file.ts";
import { checkProofs } from "../../store/secrets/key-proof.ts";
import { wholeCheck } from "../../store/sqlite/quick-check.ts";
import { openReadable, tablesOver } from "../../store/sqlite/sqlite.ts";
import { type DataPaths, dataPaths, type StorageConfig } from "../data-folder/storage.ts";

/** What was checked and what is wrong with it, in sentences. */
export type Diagnosis = { readonly passed: readonly string[]; readonly problems: readonly string[] };

/** Checks the whole database, and that its keys open it. A server may run. Changes nothing. */
export async function diagnose(config: StorageConfig): Promise<Diagnosis> {
  const paths = dataPaths(config);
  if (!existsSync(paths.database)) {
    return { passed: [], problems: [`there is no database in ${paths.folder}: name the data folder with --data-dir.`] };
  }
  const damage = checkPages(paths);
  const problems = damage.length > 0 ? damage : await checkKeys(paths);
  const passed =
    problems.length === 0
      ? [
          `${paths.database}: every page, row and index is intact.`,
          `${paths.keyFile}: opens every secret.`,
          ffmpegFinding(),
        ]
      : [];
  return { passed, problems };
}

/** FFmpeg is no problem where it is missing: only files and what is made of them need it. */
function ffmpegFinding(): string {
  const found = findFfmpeg();
  return found === undefined ? FFMPEG_MISSING : `${found.ffmpeg} and ${found.ffprobe}: files can be played.`;
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

async function checkKeys({ database: path, keyFile }: DataPaths): Promise<readonly string[]> {
  try {
    const keys = readKeyFile(keyFile);
    if (keys === undefined) return [`the encryption key file ${keyFile} is missing: put back your copy of it.`];
    const db = tablesOver(openReadable(path));
    try {
      await checkProofs(db, keys, keyFile);
    } finally {
      await db.destroy();
    }
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

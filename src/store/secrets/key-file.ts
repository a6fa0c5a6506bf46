import { randomBytes } from "node:crypto";
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { machineTroubleOf, systemCode } from "../../base/system-errors.ts";
import type { MasterKey } from "./secrets.ts";
import { MASTER_KEY_BYTES } from "./secrets.ts";

/** The file opens every secret of the database, so only its owner may read it. */
const FILE_MODE = 0o600;

/** More keys than anybody keeps: a longer file is something else. */
const KEYS_MAX = 100;

const KEY_ID_BYTES = 4;

const HEADING = [
  "# The encryption keys of a Fanfare server: `id key`, the first one is in use, the others only open older values.",
  "# Keep a copy of this file apart from the database: without it the stream keys and passwords in the database are lost.",
];

const KEY_LINE = /^([0-9a-f]{8}) ([A-Za-z0-9+/]{43}=)$/;

/** The key file cannot be used. The text says which file, what is wrong, and what to do. */
export class KeyFileError extends Error {
  override readonly name = "KeyFileError";
}

/** The keys of the file, the one in use first; undefined where there is no file. Throws KeyFileError. */
export function readKeyFile(path: string): readonly [MasterKey, ...MasterKey[]] | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    if (machineTroubleOf(systemCode(error)) !== undefined) {
      throw new KeyFileError(
        `the encryption key file ${path} cannot be read (${codeOf(error)}): this server has no file descriptors or no memory left.`,
        { cause: error },
      );
    }
    throw new KeyFileError(
      `the encryption key file ${path} cannot be read (${codeOf(error)}): give this user the right to read it, ` +
        "or name another file with FANFARE_ENCRYPTION_KEY_FILE.",
      { cause: error },
    );
  }
  // Comments of the file have commas.
  const keys = parseKeys(text.replaceAll(/^\s*#.*$/gm, ""));
  if (keys === undefined) throw unreadable(path);
  return keys;
}

/** Makes a new key. */
export function newMasterKey(): MasterKey {
  return { id: randomBytes(KEY_ID_BYTES).toString("hex"), bytes: randomBytes(MASTER_KEY_BYTES) };
}

/**
 * Writes these keys into the file, all or nothing: a reader meanwhile, or after a crash, finds either the former keys
 * or these. On the disk when this returns. Throws KeyFileError.
 */
export function writeKeyFile(path: string, keys: readonly MasterKey[]): void {
  const lines = keys.map(({ id, bytes }) => `${id} ${Buffer.from(bytes).toString("base64")}`);
  // A unique name, so that two writers do not write into one file.
  const draft = `${path}.${randomBytes(KEY_ID_BYTES).toString("hex")}.tmp`;
  try {
    const file = openSync(draft, "wx", FILE_MODE);
    try {
      writeSync(file, `${[...HEADING, ...lines].join("\n")}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    const code = codeOf(error);
    const what = ["ENOSPC", "EDQUOT"].includes(code)
      ? "there must be room on its disk"
      : "its folder must exist and be writable";
    throw new KeyFileError(
      `the encryption key file ${path} cannot be written (${code}): ${what}, or name another file with FANFARE_ENCRYPTION_KEY_FILE.`,
      { cause: error },
    );
  }
}

/** Makes a renamed or new file in this folder survive a power failure. */
export function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Reads keys as the file has them; commas do for line ends. Undefined where the text is something else. */
export function parseKeys(text: string): readonly [MasterKey, ...MasterKey[]] | undefined {
  const keys: MasterKey[] = [];
  for (const line of text.split(/[\n,]/).map((each) => each.trim())) {
    if (line === "" || line.startsWith("#")) continue;
    const [, id, key] = KEY_LINE.exec(line) ?? [];
    if (id === undefined || key === undefined) return undefined;
    keys.push({ id, bytes: Buffer.from(key, "base64") });
  }
  const [first, ...others] = keys;
  const isUnique = new Set(keys.map((key) => key.id)).size === keys.length;
  return first === undefined || keys.length > KEYS_MAX || !isUnique ? undefined : [first, ...others];
}

function unreadable(path: string): KeyFileError {
  return new KeyFileError(
    `the encryption key file ${path} holds no keys, or something else beside them: put back your copy of it, ` +
      "or name another file with FANFARE_ENCRYPTION_KEY_FILE.",
  );
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

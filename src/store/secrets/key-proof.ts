import type { Kysely } from "kysely";
import type { EncryptionKeyRow, Schema } from "../schema/schema.ts";
import { KeyFileError, newMasterKey, readKeyFile, writeKeyFile } from "./key-file.ts";
import type { SecretPlace } from "./secret-place.ts";
import type { MasterKey } from "./secrets.ts";
import { SecretError, Secrets } from "./secrets.ts";

const TABLE = "encryption_key";
const KNOWN_TEXT = "fanfare";

function proofPlace(keyId: string): SecretPlace {
  return { table: TABLE, column: "proof", row: keyId };
}

/** A known text sealed with this key. With it a missing or wrong key file shows at the next start. */
export function proofRow(secrets: Secrets, keyId: string): EncryptionKeyRow {
  return { key_id: keyId, proof: secrets.seal(KNOWN_TEXT, proofPlace(keyId), keyId) };
}

/** Idempotent. */
export async function putProof(db: Kysely<Schema>, secrets: Secrets, keyId: string): Promise<void> {
  await db
    .insertInto(TABLE)
    .values(proofRow(secrets, keyId))
    .onConflict((conflict) => conflict.column("key_id").doNothing())
    .execute();
}

/** Throws KeyFileError unless these keys open everything that this database holds. */
export async function checkProofs(db: Kysely<Schema>, keys: readonly MasterKey[], keyFilePath: string): Promise<void> {
  const secrets = new Secrets(keys);
  for (const { key_id: id, proof } of await db.selectFrom(TABLE).selectAll().execute()) {
    if (!keys.some((key) => key.id === id)) {
      throw new KeyFileError(
        `the encryption key file ${keyFilePath} lacks the key ${id} that secrets in the database are sealed with: ` +
          "put back your latest copy of that file, or name it with FANFARE_ENCRYPTION_KEY_FILE.",
      );
    }
    try {
      secrets.open(proof, proofPlace(id));
    } catch (error) {
      if (!(error instanceof SecretError)) throw error;
      throw new KeyFileError(
        `the encryption key file ${keyFilePath} belongs to another database (its key ${id} does not open this one's ` +
          "secrets): put back your copy of the right file, or name it with FANFARE_ENCRYPTION_KEY_FILE.",
        { cause: error },
      );
    }
  }
}

/** Whether the database has come to the step that seals secrets. */
export async function isSealed(db: Kysely<Schema>): Promise<boolean> {
  const tables = await db.introspection.getTables();
  return tables.some(({ name }) => name === TABLE);
}

/** Returns the keys that open this database, where it cannot be written. Throws KeyFileError. */
export async function unlockForReading(db: Kysely<Schema>, keyFilePath: string): Promise<Secrets> {
  const keys = readKeyFile(keyFilePath);
  if (keys === undefined) throw keyFileMissing(keyFilePath);
  await checkProofs(db, keys, keyFilePath);
  return new Secrets(keys);
}

/**
 * Returns the keys that open this database. Makes a key file only where there is none and the database holds no sealed
 * secret yet. Throws KeyFileError, which says what to do, where the file is missing, unreadable or wrong.
 */
export async function unlock(
  db: Kysely<Schema>,
  keyFilePath: string,
): Promise<{ readonly secrets: Secrets; readonly isKeyNew: boolean }> {
  const holdsSecrets = await isSealed(db);
  const keys = readKeyFile(keyFilePath);
  if (keys === undefined) {
    if (holdsSecrets) throw keyFileMissing(keyFilePath);
    const made = [newMasterKey()];
    writeKeyFile(keyFilePath, made);
    return { secrets: new Secrets(made), isKeyNew: true };
  }
  if (holdsSecrets) await checkProofs(db, keys, keyFilePath);
  return { secrets: new Secrets(keys), isKeyNew: false };
}

function keyFileMissing(keyFilePath: string): KeyFileError {
  return new KeyFileError(
    `the encryption key file ${keyFilePath} is missing, and the secrets in the database do not open without it: ` +
      "put back your copy of it (a backup has one too), or name it with FANFARE_ENCRYPTION_KEY_FILE.",
  );
}

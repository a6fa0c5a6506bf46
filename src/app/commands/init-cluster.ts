import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { newMasterKey, writeKeyFile } from "../../store/secrets/key-file.ts";
import { DataFolderError } from "../data-folder/storage.ts";

const ENCRYPTION_KEY = "encryption.key";
const CLUSTER_SECRET = "cluster.secret";
const SECRET_BYTES = 32;

/** The paths of the two files that all nodes of a cluster share. */
export type ClusterSecrets = { readonly encryptionKeyFile: string; readonly clusterSecretFile: string };

/**
 * Makes the encryption key and the secret of the connections between nodes, each in a file that only this user can read.
 * The folder may exist. Throws DataFolderError where one of the files is there already, or the folder cannot be made, and
 * KeyFileError where the files cannot be written.
 */
export function initCluster(folder: string): ClusterSecrets {
  const encryptionKeyFile = join(folder, ENCRYPTION_KEY);
  const clusterSecretFile = join(folder, CLUSTER_SECRET);
  for (const path of [encryptionKeyFile, clusterSecretFile]) {
    if (existsSync(path))
      throw new DataFolderError(`${path} is there already: it may be in use, so it stays as it is.`);
  }
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(clusterSecretFile, `${randomBytes(SECRET_BYTES).toString("base64url")}\n`, {
      flag: "wx",
      mode: 0o600,
    });
  } catch (error) {
    const detail = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new DataFolderError(`the secrets cannot be written into ${folder} (${detail}).`, { cause: error });
  }
  writeKeyFile(encryptionKeyFile, [newMasterKey()]);
  return { encryptionKeyFile, clusterSecretFile };
}

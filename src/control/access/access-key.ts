import type { RandomBytes } from "./ids.ts";
import { newAccessKeyId, newSecretKey } from "./ids.ts";

/** A manager may do everything; a viewer only reads, and sees stream keys masked. */
export type Role = "manager" | "viewer";

/** What an API client identifies itself with. Holds a secret: never log it. */
export type AccessKey = {
  readonly accessKeyId: string;
  /** Kept as it is, since checking a signature takes it. */
  readonly secretKey: string;
  readonly role: Role;
  readonly name: string;
  readonly createdTime: number;
  /** As stored, which is up to a minute behind; absent where it was never used. */
  readonly lastUsedTime?: number;
};

/** Where access keys are kept; the part of the store that this file needs. */
export interface AccessKeyStore {
  /** Adds the key, or replaces the one with its id. */
  putAccessKey(key: AccessKey): Promise<void>;
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>;
  /** Of several keys with one secret a manager's comes first. How long it takes tells nothing of any secret. */
  findAccessKeyBySecret(secretKey: string): Promise<AccessKey | undefined>;
  hasManagerKey(): Promise<boolean>;
  /** In the order of their creation. */
  listAccessKeys(): Promise<readonly AccessKey[]>;
  /** The key as it was; undefined where there was none. The one manager key that is left is kept: `last-manager`. */
  deleteAccessKey(accessKeyId: string): Promise<AccessKey | "last-manager" | undefined>;
  /** Remembers when a key was used; a key that is gone is skipped. */
  markAccessKeyUsed(accessKeyId: string, time: number): Promise<void>;
}

/** What the manager key of an installation is made from. */
export type ManagerKeySources = {
  readonly store: AccessKeyStore;
  readonly nowMs: number;
  readonly randomBytes: RandomBytes;
  /** A key given from outside, by configuration. */
  readonly configured?: { readonly accessKeyId: string; readonly secretKey: string };
};

/**
 * Makes sure that there is a manager key. A configured one is stored as it is configured, also when it was there with
 * another secret; without one, a key is made where no manager key exists. Answers the key only when it was made just
 * now: that is the one moment its secret may be shown.
 */
export async function ensureManagerKey(sources: ManagerKeySources): Promise<AccessKey | undefined> {
  const { store, nowMs, randomBytes, configured } = sources;
  if (configured !== undefined) {
    const stored = await store.findAccessKey(configured.accessKeyId);
    if (stored?.secretKey !== configured.secretKey || stored.role !== "manager") {
      await store.putAccessKey({ ...configured, role: "manager", name: "configuration", createdTime: nowMs });
    }
    return undefined;
  }
  if (await store.hasManagerKey()) return undefined;
  const made: AccessKey = {
    accessKeyId: newAccessKeyId(randomBytes),
    secretKey: newSecretKey(randomBytes),
    role: "manager",
    name: "first start",
    createdTime: nowMs,
  };
  await store.putAccessKey(made);
  return made;
}

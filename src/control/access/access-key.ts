import type { AccessKey, AccessKeyStore } from "../ports/access-key-store.ts";
import type { RandomBytes } from "./ids.ts";
import { newAccessKeyId, newSecretKey } from "./ids.ts";

/** What the manager key of an installation is made from. */
export type ManagerKeySources = {
  readonly store: AccessKeyStore;
  readonly nowMs: number;
  readonly randomBytes: RandomBytes;
  /** A key given by configuration. */
  readonly configured?: { readonly accessKeyId: string; readonly secretKey: string };
};

/**
 * Makes sure that there is a manager key. A configured key is stored as configured, also if its id was stored with
 * another secret. Without a configured key, one is made where no manager key exists. Returns the key only if it was
 * made just now: its secret is shown only then.
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
  // Of several nodes that start together one makes the key.
  return (await store.putFirstManagerKey(made)) ? made : undefined;
}

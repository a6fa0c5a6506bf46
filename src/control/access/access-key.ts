import type { AccessKey, AccessKeyStore } from "../ports/access-key-store.ts";
import type { RandomBytes } from "./ids.ts";
import { newAccessKeyId, newSecretKey } from "./ids.ts";

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

import type { Clock } from "../../base/clock.ts";
import type { AccessKey, AccessKeyStore, Role } from "../ports/access-key-store.ts";
import { DomainError } from "../ports/errors.ts";
import type { RandomBytes } from "./ids.ts";
import { newAccessKeyId, newSecretKey } from "./ids.ts";

/** A key's last use is written at most this often, in milliseconds: otherwise every request would be a write. */
const USE_WRITE_INTERVAL_MS = 60_000;

export type AccessKeysOptions = {
  readonly store: AccessKeyStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
};

/** The API's access keys: makes, finds, uses and revokes them. */
export class AccessKeys {
  readonly #options: AccessKeysOptions;
  /**
   * When a use of each key was last written, or its write was tried; monotonic milliseconds. One entry for each
   * existing key.
   */
  readonly #writtenMs = new Map<string, number>();

  constructor(options: AccessKeysOptions) {
    this.#options = options;
  }

  /** In the order of their creation. */
  list(): Promise<readonly AccessKey[]> {
    return this.#options.store.listAccessKeys();
  }

  /** Makes a key. Its secret is shown only in this answer. */
  async create(role: Role, name: string): Promise<AccessKey> {
    const { store, clock, randomBytes } = this.#options;
    const key: AccessKey = {
      accessKeyId: newAccessKeyId(randomBytes),
      secretKey: newSecretKey(randomBytes),
      role,
      name,
      createdTime: clock.wallNow(),
    };
    await store.putAccessKey(key);
    return key;
  }

  /**
   * Revokes the key at once. Throws DomainError `access-key-not-found`, or `last-manager-key`: without a manager no
   * other key could ever be made.
   */
  async delete(accessKeyId: string): Promise<AccessKey> {
    const deleted = await this.#options.store.deleteAccessKey(accessKeyId);
    if (deleted === undefined) throw new DomainError({ kind: "access-key-not-found" });
    if (deleted === "last-manager") throw new DomainError({ kind: "last-manager-key" });
    this.#writtenMs.delete(accessKeyId);
    return deleted;
  }

  /** Returns which of these ids are of keys that no longer exist. */
  async goneAmong(accessKeyIds: readonly string[]): Promise<readonly string[]> {
    if (accessKeyIds.length === 0) return [];
    const present = new Set((await this.list()).map(({ accessKeyId }) => accessKeyId));
    return accessKeyIds.filter((each) => !present.has(each));
  }

  find(accessKeyId: string): Promise<AccessKey | undefined> {
    return this.#options.store.findAccessKey(accessKeyId);
  }

  findBySecret(secretKey: string): Promise<AccessKey | undefined> {
    return this.#options.store.findAccessKeyBySecret(secretKey);
  }

  /**
   * A request came with this key. No caller waits for the write. A write that fails costs a minute's precision; other
   * writes report the database's trouble.
   */
  used(accessKeyId: string): void {
    const { store, clock } = this.#options;
    const nowMs = clock.now();
    const writtenMs = this.#writtenMs.get(accessKeyId);
    if (writtenMs !== undefined && nowMs - writtenMs < USE_WRITE_INTERVAL_MS) return;
    this.#writtenMs.set(accessKeyId, nowMs);
    store.markAccessKeyUsed(accessKeyId, clock.wallNow()).catch(() => undefined);
  }
}

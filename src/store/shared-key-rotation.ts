import type { Incarnation, NodeKeyStore } from "../control/ports/ownership-store.ts";
import type { Database } from "./database/database.ts";
import { type Rotation, resealAll } from "./key-rotation.ts";
import { checkProofs, putProof } from "./secrets/key-proof.ts";
import { type MasterKey, sealingFirst } from "./secrets/secrets.ts";

/** Every node has sealed with the new key for this long before values are sealed again, in milliseconds. */
const SETTLED_MS = 10_000;

export type SharedKeyRotationDeps = {
  readonly database: Pick<Database, "read" | "write" | "secrets">;
  readonly nodes: NodeKeyStore;
  readonly self: Incarnation;
  /** The node's keys, the wanted one first. Throws KeyFileError. */
  readonly readKeys: () => readonly [MasterKey, ...MasterKey[]];
  /** Where the keys come from, for messages. */
  readonly keysFrom: string;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
};

/**
 * Follows the keys of a node that shares its database. A node opens with all its keys, and says which it has. It seals with
 * its first key once every living node has that one. When all have done so for a while, values under older keys are sealed
 * again, and the proofs of those keys go. Nodes that do this at once do no harm.
 */
export class SharedKeyRotation {
  readonly #deps: SharedKeyRotationDeps;
  #agreedSinceMs: number | undefined;

  constructor(deps: SharedKeyRotationDeps) {
    this.#deps = deps;
  }

  /**
   * Call it every few seconds. Returns what was sealed again. Throws KeyFileError where a key that is needed is missing: the
   * known keys stay in use then.
   */
  async takeUp(): Promise<Rotation | undefined> {
    const { database, nodes, self, readKeys, keysFrom, now } = this.#deps;
    const { secrets } = database;
    const keys = readKeys();
    const [{ id: wanted }] = keys;
    await database.read((db) => checkProofs(db, keys, keysFrom));
    const living = (await nodes.listNodes()).filter(
      ({ incarnation, state, leaseLeftMs }) =>
        incarnation === self || ((state === "serving" || state === "draining") && leaseLeftMs > 0),
    );
    const areAllReady = living.every(({ incarnation, keyIds }) => incarnation === self || keyIds.includes(wanted));
    await this.#use(keys, areAllReady ? wanted : secrets.currentKeyId);
    const isAgreed = living.every(({ keyIds }) => keyIds[0] === wanted);
    this.#agreedSinceMs = isAgreed ? (this.#agreedSinceMs ?? now()) : undefined;
    if (this.#agreedSinceMs === undefined || now() - this.#agreedSinceMs < SETTLED_MS) return undefined;
    const resealedRows = await resealAll(database);
    return resealedRows === undefined ? undefined : { keyId: wanted, resealedRows };
  }

  /** Uses these keys from now on, seals with one of them, and says so. */
  async #use(keys: readonly MasterKey[], sealing: string): Promise<void> {
    const { database, nodes, self } = this.#deps;
    const { secrets } = database;
    const ordered = sealingFirst(keys, sealing);
    const ids = ordered.map(({ id }) => id);
    if (secrets.keyIds.join() === ids.join()) return;
    if (sealing !== secrets.currentKeyId) {
      // At first the new key only opens values; the old one still seals.
      secrets.replaceKeys(sealingFirst(keys, secrets.currentKeyId));
      await database.write((trx) => putProof(trx, secrets, sealing));
    }
    secrets.replaceKeys(ordered);
    await nodes.setNodeKeys(self, ids);
  }
}

import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { OpenedSecrets } from "./opened-secrets.ts";
import type { SecretPlace } from "./secret-place.ts";

/** Length of a master key, in bytes. */
export const MASTER_KEY_BYTES = 32;

/** What a value in the database begins with when it is sealed this way: version, then the id of its key. */
const VERSION = "v1";

const CIPHER = "aes-256-gcm";
/** The nonce NIST SP 800-38D recommends for GCM, drawn at random for each value, in bytes. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Values that are kept opened: those of some 7,000 channels with their targets, about 15 MB. */
const OPENED_MAX = 32_768;

/** As long as the secret of an access key. */
const DECOY_TEXT = "0".repeat(40);
const DECOY_PLACE = { table: "access_key", column: "secret_key", row: "" };

/** One key of the key file. `id` names it inside every value it sealed. */
export type MasterKey = { readonly id: string; readonly bytes: Uint8Array };

/** A stored secret does not open: its key is not there, it was moved from another row, or it was altered. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

type DerivedKey = { readonly id: string; readonly sealing: Buffer; readonly indexing: Buffer };

/**
 * Seals the secrets of the database (AES-256-GCM, the place as associated data), opens them, and tells by what a
 * secret is found without being opened (HMAC-SHA256). Both keys come from one master key by HKDF. The first key seals; all of them
 * open, so that keys can change while rows still carry an older one.
 */
export class Secrets {
  #keys: readonly DerivedKey[];
  #decoy: string | undefined;
  readonly #opened = new OpenedSecrets(OPENED_MAX);

  /** Throws where there is no key. */
  constructor(keys: readonly MasterKey[]) {
    this.#keys = derived(keys);
  }

  /** From now on the first of these seals; values under keys that are not among them no longer open. */
  replaceKeys(keys: readonly MasterKey[]): void {
    this.#keys = derived(keys);
    this.#decoy = undefined;
    this.#opened.clear();
  }

  /** The id of the key that seals. */
  get currentKeyId(): string {
    return this.#current.id;
  }

  /** The value to store, under the present key or the one that is named. Empty text stays empty: in the tables it means "not set". */
  seal(text: string, place: SecretPlace, keyId?: string): string {
    if (text === "") return "";
    const { id, sealing } = keyId === undefined ? this.#current : this.#key(keyId, place);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, sealing, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(id, place));
    const bytes = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${sealedPrefix(id)}${bytes.toString("base64url")}`;
  }

  /** The secret in a stored value. Throws SecretError, which names the place and never the value. */
  open(sealed: string, place: SecretPlace): string {
    if (sealed === "") return "";
    const [version, id = "", body = "", ...rest] = sealed.split(".");
    if (version !== VERSION || rest.length > 0) throw new SecretError(`${placeText(place)} is not sealed`);
    const key = this.#key(id, place);
    const bytes = Buffer.from(body, "base64url");
    if (bytes.length < NONCE_BYTES + TAG_BYTES) throw new SecretError(`${placeText(place)} is cut short`);
    const tagAt = bytes.length - TAG_BYTES;
    try {
      const opener = createDecipheriv(CIPHER, key.sealing, bytes.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      opener.setAAD(associatedData(id, place));
      opener.setAuthTag(bytes.subarray(tagAt));
      return Buffer.concat([opener.update(bytes.subarray(NONCE_BYTES, tagAt)), opener.final()]).toString("utf8");
    } catch (error) {
      throw new SecretError(`${placeText(place)} does not open with the key ${id}`, { cause: error });
    }
  }

  /**
   * The same as `open`, and faster for what was opened lately. Not for what somebody may find out by asking whether it is
   * there: the time it takes tells whether it was asked for before.
   */
  openAgain(sealed: string, place: SecretPlace): string {
    if (sealed === "") return "";
    const known = this.#opened.find(sealed, place);
    if (known !== undefined) return known;
    const text = this.open(sealed, place);
    this.#opened.keep(sealed, place, text);
    return text;
  }

  /** Does what opening a secret takes, for nothing: the time of an answer must not show that there was none. */
  openDecoy(): void {
    this.#decoy ??= this.seal(DECOY_TEXT, DECOY_PLACE);
    this.open(this.#decoy, DECOY_PLACE);
  }

  /** What the row of this secret is found by: the same for the same secret, and telling nothing of it. */
  index(text: string, table: string, column: string): string {
    return indexUnder(this.#current, text, table, column);
  }

  /** The same under every key: rows that were not sealed again yet carry the index of an older one. */
  indexes(text: string, table: string, column: string): readonly string[] {
    return this.#keys.map((key) => indexUnder(key, text, table, column));
  }

  #key(id: string, place: SecretPlace): DerivedKey {
    const key = this.#keys.find((each) => each.id === id);
    if (key === undefined) throw new SecretError(`the key ${id} of ${placeText(place)} is not there`);
    return key;
  }

  get #current(): DerivedKey {
    const [current] = this.#keys;
    if (current === undefined) throw new Error("no key to seal with");
    return current;
  }
}

/** What a value begins with that is sealed with this key. */
export function sealedPrefix(keyId: string): string {
  return `${VERSION}.${keyId}.`;
}

function derived(keys: readonly MasterKey[]): readonly DerivedKey[] {
  if (keys.length === 0) throw new Error("no key to seal with");
  return keys.map(({ id, bytes }) => ({
    id,
    sealing: subkey(bytes, "fanfare seal v1"),
    indexing: subkey(bytes, "fanfare index v1"),
  }));
}

function subkey(master: Uint8Array, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", master, "", purpose, MASTER_KEY_BYTES));
}

/** JSON, because no two places have the same then, whatever characters their names hold. */
function associatedData(keyId: string, { table, column, row }: SecretPlace): Buffer {
  return Buffer.from(JSON.stringify([VERSION, keyId, table, column, row]), "utf8");
}

function indexUnder({ indexing }: DerivedKey, text: string, table: string, column: string): string {
  return createHmac("sha256", indexing)
    .update(JSON.stringify([table, column, text]), "utf8")
    .digest("base64url");
}

function placeText({ table, column, row }: SecretPlace): string {
  return `the ${column} of ${table} ${row}`;
}

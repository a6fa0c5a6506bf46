import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from "node:crypto";
import { OpenedSecrets } from "./opened-secrets.ts";
import type { SecretPlace } from "./secret-place.ts";

/** Length of a master key, in bytes. */
export const MASTER_KEY_BYTES = 32;

/** What a value sealed this way begins with: the version, then the id of its key. */
const VERSION = "v1";

const CIPHER = "aes-256-gcm";
/** The nonce length that NIST SP 800-38D recommends for GCM, in bytes. A nonce is drawn at random for each value. */
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How many opened values are cached: those of some 7,000 channels with their targets, about 15 MB. */
const OPENED_MAX = 32_768;

/** As long as the secret of an access key. */
const DECOY_TEXT = "0".repeat(40);
const DECOY_PLACE = { table: "access_key", column: "secret_key", row: "" };

/** One key of the key file. Every value that it sealed begins with its `id`. */
export type MasterKey = { readonly id: string; readonly bytes: Uint8Array };

/** A stored secret does not open: its key is missing, it was moved from another row, or it was altered. */
export class SecretError extends Error {
  override readonly name = "SecretError";
}

type DerivedKey = { readonly id: string; readonly sealing: Buffer; readonly indexing: Buffer };

/**
 * Seals the secrets of the database (AES-256-GCM, with the place as associated data), opens them, and computes the
 * index by which a secret is found without being opened (HMAC-SHA256). Both keys come from one master key by HKDF. The
 * first key seals; all of them open, so that the key can change while rows still have an older one.
 */
export class Secrets {
  #keys: readonly DerivedKey[];
  #decoy: string | undefined;
  readonly #opened = new OpenedSecrets(OPENED_MAX);

  /** Throws where there is no key. */
  constructor(keys: readonly MasterKey[]) {
    this.#keys = derived(keys);
  }

  /** From now on the first of these keys seals. Values of other keys no longer open. */
  replaceKeys(keys: readonly MasterKey[]): void {
    this.#keys = derived(keys);
    this.#decoy = undefined;
    this.#opened.clear();
  }

  /** The ids of all keys, the sealing one first. */
  get keyIds(): readonly string[] {
    return this.#keys.map(({ id }) => id);
  }

  /** The id of the sealing key. */
  get currentKeyId(): string {
    return this.#current.id;
  }

  /**
   * Seals a value with the present key, or with the named one. Empty text stays empty: in the tables it means "not
   * set".
   */
  seal(text: string, place: SecretPlace, keyId?: string): string {
    if (text === "") return "";
    const { id, sealing } = keyId === undefined ? this.#current : this.#key(keyId, place);
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, sealing, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(associatedData(id, place));
    const bytes = Buffer.concat([nonce, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()]);
    return `${sealedPrefix(id)}${bytes.toString("base64url")}`;
  }

  /** Opens a stored value. Throws SecretError, which names the place and never the value. */
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
   * The same as `open`, but faster for recently opened values. Not for values whose existence is secret: the time it
   * takes shows whether somebody asked for it before.
   */
  openAgain(sealed: string, place: SecretPlace): string {
    if (sealed === "") return "";
    const known = this.#opened.find(sealed, place);
    if (known !== undefined) return known;
    const text = this.open(sealed, place);
    this.#opened.keep(sealed, place, text);
    return text;
  }

  /** Does the work of opening a secret for nothing: the time of an answer must not show that there was none. */
  openDecoy(): void {
    this.#decoy ??= this.seal(DECOY_TEXT, DECOY_PLACE);
    this.open(this.#decoy, DECOY_PLACE);
  }

  /** The index of a secret: the same for the same secret, and without any information about it. */
  index(text: string, table: string, column: string): string {
    return indexUnder(this.#current, text, table, column);
  }

  /** The indexes under every key: rows that were not sealed again yet have the index of an older key. */
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

/** The same keys, with the one that seals first. */
export function sealingFirst(keys: readonly MasterKey[], sealing: string): readonly MasterKey[] {
  return [...keys.filter(({ id }) => id === sealing), ...keys.filter(({ id }) => id !== sealing)];
}

/** What a value begins with that this key sealed. */
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

/** JSON, because then no two places are the same, whatever characters their names hold. */
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

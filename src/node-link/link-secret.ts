import { createHash, hkdfSync } from "node:crypto";
import type { ConnectionOptions, TlsOptions } from "node:tls";

const SECRET_BYTES_MIN = 32;
/** One secret, or two while it changes. */
const SECRETS_MAX = 2;
const KEY_BYTES = 32;
const ID_LENGTH = 16;
/** The only cipher suite: a pre-shared key in TLS 1.3 goes with a SHA-256 suite. */
const TLS = { minVersion: "TLSv1.3", maxVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;

/** A secret that all nodes share, as TLS uses it. */
type LinkKey = { readonly id: string; readonly key: Buffer };

/** The cluster's secrets: the first is used to dial, all are accepted. */
export type LinkSecrets = { readonly keys: readonly LinkKey[] };

/**
 * Reads the secret file: one line of at least 32 characters, or two while the secret changes (the new one first on the
 * nodes that have switched). Returns a sentence that says what is wrong with it.
 */
export function parseLinkSecrets(text: string): LinkSecrets | string {
  const secrets = linesOf(text);
  if (secrets.length === 0) return "it holds no secret.";
  if (secrets.length > SECRETS_MAX)
    return `it holds ${secrets.length} lines; one secret is a line, two while it changes.`;
  if (secrets.some((secret) => Buffer.byteLength(secret) < SECRET_BYTES_MIN)) {
    return `a secret in it is shorter than ${SECRET_BYTES_MIN} characters.`;
  }
  return { keys: secrets.map(keyOf) };
}

function keyOf(secret: string): LinkKey {
  return {
    id: createHash("sha256").update(`fanfare node link id ${secret}`).digest("hex").slice(0, ID_LENGTH),
    key: Buffer.from(hkdfSync("sha256", secret, "", "fanfare node link key", KEY_BYTES)),
  };
}

/** What signs the challenges of encoders' logins, of the same text: the first signs, all are accepted. */
export function loginSecrets(text: string): readonly Uint8Array[] {
  return linesOf(text).map((secret) =>
    Buffer.from(hkdfSync("sha256", secret, "", "fanfare login challenges", KEY_BYTES)),
  );
}

function linesOf(text: string): readonly string[] {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** TLS 1.3 with a pre-shared key: a peer without the secret ends in the handshake. `onPeer` gets its incarnation. */
export function serverTls({ keys }: LinkSecrets, onPeer: (socket: object, incarnation: string) => void): TlsOptions {
  return {
    ...TLS,
    pskCallback: (socket, identity) => {
      const [id, incarnation = ""] = identity.split(":");
      onPeer(socket, incarnation);
      return keys.find((each) => each.id === id)?.key ?? null;
    },
  };
}

/** The same for the side that dials. `incarnation`: the number of this node's start. */
export function clientTls({ keys }: LinkSecrets, incarnation: string): ConnectionOptions {
  const [first] = keys;
  if (first === undefined) throw new Error("no cluster secret");
  return {
    ...TLS,
    pskCallback: () => ({ psk: first.key, identity: `${first.id}:${incarnation}` }),
    // Both sides prove the secret; there are no certificates.
    checkServerIdentity: () => undefined,
  };
}

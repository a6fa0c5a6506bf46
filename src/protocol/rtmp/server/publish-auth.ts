import { createHash } from "node:crypto";

/** A user name and a password for publishing. Secret: never logged. Both are used as UTF-8, unchanged. */
export type Credentials = { readonly id: string; readonly password: string };

/** Two historical ways to log in, both inside `connect`: Adobe's AccessManager and Limelight's. */
export const AUTH_SCHEMES = ["adobe", "llnw"] as const;
export type AuthScheme = (typeof AUTH_SCHEMES)[number];

/** The server's challenge. An empty `opaque` counts as none, as in OBS. */
export type AdobeChallenge = { readonly salt: string; readonly challenge: string; readonly opaque: string };

/** What a server says about a login when it refuses `connect`. */
export type LoginDemand =
  /** It demands a user name. */
  | { readonly kind: "name-wanted"; readonly scheme: AuthScheme }
  /** It demands proof of the password. */
  | { readonly kind: "challenge"; readonly scheme: "adobe"; readonly challenge: AdobeChallenge }
  | { readonly kind: "challenge"; readonly scheme: "llnw"; readonly nonce: string }
  /** Unknown user or wrong password. */
  | { readonly kind: "refused" }
  /** It is about a login, but in an unknown way. */
  | { readonly kind: "unreadable" };

/** Servers keep their texts under 300 characters; longer ones are not read. */
const DESCRIPTION_LENGTH_MAX = 1_024;

/**
 * Reads the `description` of a refused `connect`; undefined where it is not about a login. It looks for the words that
 * OBS looks for, because servers differ in the rest. `AccessManager.Reject` is not among them: servers also send it
 * when they are full, forbid us, or redirect us.
 */
export function readLoginDemand(description: string): LoginDemand | undefined {
  if (!/authmod=|need ?auth/.test(description)) return undefined;
  if (description.length > DESCRIPTION_LENGTH_MAX) return { kind: "unreadable" };
  if (/\?reason=(authfail|nosuchuser)/.test(description)) return { kind: "refused" };
  const scheme = AUTH_SCHEMES.find((name) => new RegExp(`authmod=${name}(?![a-z0-9])`).test(description));
  if (scheme === undefined) return { kind: "unreadable" };
  const query = /\?(reason=needauth[^\s]*)/.exec(description)?.[1];
  if (query !== undefined) return readChallenge(scheme, readQuery(query));
  return description.includes("code=403 need auth") ? { kind: "name-wanted", scheme } : { kind: "unreadable" };
}

function readChallenge(scheme: AuthScheme, values: ReadonlyMap<string, string>): LoginDemand {
  if (scheme === "llnw") {
    const nonce = values.get("nonce") ?? "";
    return nonce === "" ? { kind: "unreadable" } : { kind: "challenge", scheme, nonce };
  }
  const [salt = "", challenge = "", opaque = ""] = ["salt", "challenge", "opaque"].map((name) => values.get(name));
  if (challenge === "" && opaque === "") return { kind: "unreadable" };
  return { kind: "challenge", scheme, challenge: { salt, challenge, opaque } };
}

/** Parts of a query that are read; logins have six. */
const QUERY_PARTS_MAX = 32;

/**
 * The values of a query, undecoded: they contain `+`, `/` and `=` and were never percent-encoded. Parts end at `&`,
 * names at the first `=`.
 */
export function readQuery(query: string): ReadonlyMap<string, string> {
  return new Map(
    query.split("&", QUERY_PARTS_MAX).map((part) => {
      const nameEnd = part.indexOf("=");
      return nameEnd < 0 ? [part, ""] : [part.slice(0, nameEnd), part.slice(nameEnd + 1)];
    }),
  );
}

/** Adobe's proof of the password. `clientChallenge`: 8 random hexadecimal digits. */
export function adobeResponse(user: Credentials, given: AdobeChallenge, clientChallenge: string): string {
  const salted = md5(`${user.id}${given.salt}${user.password}`, "base64");
  return md5(`${salted}${given.opaque === "" ? given.challenge : given.opaque}${clientChallenge}`, "base64");
}

/**
 * Limelight's proof, HTTP digest authentication. `app`: as in the target's URL. `clientNonce`: 8 random hexadecimal
 * digits.
 */
export function limelightResponse(user: Credentials, app: string, nonce: string, clientNonce: string): string {
  const who = md5(`${user.id}:live:${user.password}`, "hex");
  const what = md5(`publish:/${app}${app.includes("/") ? "" : "/_definst_"}`, "hex");
  return md5(`${who}:${nonce}:${NONCE_COUNT}:${clientNonce}:auth:${what}`, "hex");
}

/** The use count of a nonce: each is used once. */
const NONCE_COUNT = "00000001";

function md5(text: string, encoding: "base64" | "hex"): string {
  return createHash("md5").update(text, "utf8").digest(encoding);
}

/**
 * What follows a demand: connect again with `query` appended to the application, in `app` and in `tcUrl`; or give up,
 * because the server refuses us, or demands a login in an unknown way.
 */
export type LoginStep =
  | { readonly kind: "reconnect"; readonly query: string }
  | { readonly kind: "refused" | "unsupported" };

/**
 * The client's side of a login, over one connection for each step: without a name, with the name, with the proof. Each
 * demand leads a step further and none back, so there are at most three connections.
 */
export class LoginDialogue {
  #said: "nothing" | "name" | "proof" = "nothing";
  readonly #credentials: Credentials;
  readonly #app: string;

  /** `app`: as in the target's URL. */
  constructor(credentials: Credentials, app: string) {
    this.#credentials = credentials;
    this.#app = app;
  }

  /** `random`: 8 hexadecimal digits, new ones each time. */
  answer(demand: LoginDemand, random: string): LoginStep {
    switch (demand.kind) {
      case "name-wanted":
        if (this.#said !== "nothing") return { kind: "refused" };
        this.#said = "name";
        return { kind: "reconnect", query: nameQuery(demand.scheme, this.#credentials) };
      case "challenge":
        if (this.#said === "proof") return { kind: "refused" };
        this.#said = "proof";
        return { kind: "reconnect", query: this.#proof(demand, random) };
      case "refused":
        return { kind: "refused" };
      case "unreadable":
        return { kind: this.#said === "nothing" ? "unsupported" : "refused" };
    }
  }

  #proof(demand: Extract<LoginDemand, { kind: "challenge" }>, random: string): string {
    const name = nameQuery(demand.scheme, this.#credentials);
    if (demand.scheme === "llnw") {
      const response = limelightResponse(this.#credentials, this.#app, demand.nonce, random);
      return `${name}&nonce=${demand.nonce}&cnonce=${random}&nc=${NONCE_COUNT}&response=${response}`;
    }
    const { opaque } = demand.challenge;
    const response = adobeResponse(this.#credentials, demand.challenge, random);
    return `${name}&challenge=${random}&response=${response}${opaque === "" ? "" : `&opaque=${opaque}`}`;
  }
}

/**
 * A question mark even where the application has one already: OBS and FFmpeg do so, and servers look for `authmod=`.
 */
function nameQuery(scheme: AuthScheme, { id }: Credentials): string {
  return `?authmod=${scheme}&user=${id}`;
}

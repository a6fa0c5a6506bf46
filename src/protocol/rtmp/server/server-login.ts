import { createHash, timingSafeEqual } from "node:crypto";
import { barePath } from "../url.ts";
import { type AuthScheme, adobeResponse, type Credentials, limelightResponse, readQuery } from "./publish-auth.ts";

/**
 * Applications, by their last segment, whose encoders must log in. The key, and with it the channel, is known only at
 * publish, which is too late: FFmpeg, OBS and GStreamer log in only after a refused `connect`. So the address says it.
 */
const LOGIN_APPLICATIONS: ReadonlyMap<string, AuthScheme> = new Map([
  ["login", "adobe"],
  ["login-llnw", "llnw"],
]);

/** What an encoder sent about its login in `connect`. The values are unauthenticated. */
export type LoginAttempt =
  /** No login, where the address requires one. */
  | { readonly kind: "nothing"; readonly scheme: AuthScheme }
  | { readonly kind: "name"; readonly scheme: AuthScheme; readonly id: string }
  | {
      readonly kind: "proof";
      readonly scheme: AuthScheme;
      readonly id: string;
      /** Our challenge, as it came back. */
      readonly token: string;
      /** The encoder's own random part. */
      readonly clientChallenge: string;
      readonly response: string;
    };

export type LoginRequest = { readonly attempt: LoginAttempt /** Without the login. */; readonly app: string };

/** `refuse`: a person has to change something. `ask`: the next step of the dialogue, on another connection. */
export type LoginDecision =
  | { readonly kind: "accept" }
  | { readonly kind: "ask" | "refuse"; readonly description: string }
  /** No verdict; closed without a message, so that the encoder tries again. */
  | { readonly kind: "unavailable" };

/**
 * A login begins with `?` or `&`: if the application has a query of its own, there are two question marks, or only its
 * own.
 */
const LOGIN_BEGIN = /[?&](?=authmod=)/;

/** Splits the application and the login; no login where there is none and none is required. */
export function readLogin(app: string, tcUrl: string): { readonly app: string; readonly attempt?: LoginAttempt } {
  const [bare = "", query = loginOf(tcUrl)] = cut(app);
  if (query === undefined) {
    const path = barePath(bare);
    const scheme = LOGIN_APPLICATIONS.get(path.slice(path.lastIndexOf("/") + 1));
    return scheme === undefined ? { app: bare } : { app: bare, attempt: { kind: "nothing", scheme } };
  }
  return { app: bare, attempt: attemptOf(readQuery(query)) };
}

function cut(text: string): readonly [string, string?] {
  const begin = text.search(LOGIN_BEGIN);
  return begin < 0 ? [text] : [text.slice(0, begin), text.slice(begin + 1)];
}

function loginOf(tcUrl: string): string | undefined {
  return cut(tcUrl)[1];
}

function attemptOf(values: ReadonlyMap<string, string>): LoginAttempt {
  const scheme = values.get("authmod") === "llnw" ? "llnw" : "adobe";
  const id = values.get("user") ?? "";
  const response = values.get("response");
  if (id === "") return { kind: "nothing", scheme };
  if (response === undefined) return { kind: "name", scheme, id };
  const [token, clientChallenge] = scheme === "adobe" ? ["opaque", "challenge"] : ["nonce", "cnonce"];
  return {
    kind: "proof",
    scheme,
    id,
    token: values.get(token ?? "") ?? "",
    clientChallenge: values.get(clientChallenge ?? "") ?? "",
    response,
  };
}

/** Whether the response was made with this password. `salt`: the one given with the challenge; Limelight has none. */
export function isProven(
  proof: Extract<LoginAttempt, { kind: "proof" }>,
  password: string,
  given: { readonly app: string; readonly salt: string },
): boolean {
  const user: Credentials = { id: proof.id, password };
  const { token, clientChallenge } = proof;
  const right =
    proof.scheme === "llnw"
      ? limelightResponse(user, given.app, token, clientChallenge)
      : adobeResponse(user, { salt: given.salt, challenge: token, opaque: token }, clientChallenge);
  // Equal lengths, and a comparison whose time reveals nothing.
  return timingSafeEqual(digest(right), digest(proof.response));
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

/** The words that FFmpeg, librtmp and OBS, and GStreamer look for. */
export const loginTexts = {
  demand: (scheme: AuthScheme): string => `[ AccessManager.Reject ] : [ code=403 need auth; authmod=${scheme} ] : `,
  challenge: (scheme: AuthScheme, id: string, salt: string, token: string): string =>
    `${because(scheme, "needauth")}&user=${id}&${
      scheme === "adobe" ? `salt=${salt}&challenge=${token}&opaque=${token}` : `nonce=${token}`
    }`,
  /** The same whether the user or the password is wrong. */
  failure: (scheme: AuthScheme): string => because(scheme, scheme === "adobe" ? "authfailed" : "authfail"),
} as const;

function because(scheme: AuthScheme, reason: string): string {
  return `[ AccessManager.Reject ] : [ authmod=${scheme} ] : ?reason=${reason}`;
}

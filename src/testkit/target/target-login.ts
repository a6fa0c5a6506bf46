import { textProperty } from "../../protocol/amf0/value.ts";
import type { Command } from "../../protocol/rtmp/command.ts";
import {
  type AdobeChallenge,
  AUTH_SCHEMES,
  type AuthScheme,
  adobeResponse,
  type Credentials,
  limelightResponse,
  readQuery,
} from "../../protocol/rtmp/server/publish-auth.ts";

/** Adobe's way to log in, and Limelight's. */
export const LOGIN_SCHEMES = AUTH_SCHEMES;

/** Whom a target lets in, and how it asks. */
export type TargetLogin = Credentials & {
  readonly scheme: AuthScheme;
  /** It stays connected after it asked or refused, as some servers do; closes unless told. */
  readonly keepsOpen?: boolean;
  /** What Adobe's proof is made with: `opaque`, as most servers have it, unless told. */
  readonly proofOf?: "opaque" | "challenge";
};

/** Always the same, so that a proof can be checked on another connection than the one that asked for it. */
const GIVEN: AdobeChallenge = { salt: "c2FsdA==", challenge: "Y2hhbGxlbmdl", opaque: "b3BhcXVl" };
const NONCE = "a1b2c3d4";

/** What an encoder connects to: the application without what a login adds to it. */
export function appWithoutLogin(app: string): string {
  return app.replace(/[?&]authmod=.*$/s, "");
}

/** How a `connect` is refused for want of a login, as the text of its answer; undefined where it is let in. */
export function loginRefusal(login: TargetLogin, connect: Command): string | undefined {
  const { scheme } = login;
  const app = textProperty(connect.object, "app") ?? "";
  const query = readQuery(/[?&](authmod=.*)$/s.exec(app)?.[1] ?? "");
  if (query.get("authmod") !== scheme) return `[ AccessManager.Reject ] : [ code=403 need auth; authmod=${scheme} ] : `;
  const because = (reason: string): string => `[ AccessManager.Reject ] : [ authmod=${scheme} ] : ?reason=${reason}`;
  if (query.get("user") !== login.id) return because("nosuchuser");
  const given = query.get("response");
  if (given === undefined) return because(`needauth&user=${login.id}&${challengeOf(login)}`);
  const right = scheme === "adobe" ? adobeProof(login, query) : limelightProof(login, query, appWithoutLogin(app));
  if (given === right) return undefined;
  return because(scheme === "adobe" ? "authfailed" : "authfail");
}

function challengeOf({ scheme, proofOf = "opaque" }: TargetLogin): string {
  if (scheme === "llnw") return `nonce=${NONCE}`;
  const opaque = proofOf === "opaque" ? `&opaque=${GIVEN.opaque}` : "";
  return `salt=${GIVEN.salt}&challenge=${GIVEN.challenge}${opaque}`;
}

function adobeProof(login: TargetLogin, query: ReadonlyMap<string, string>): string {
  const opaque = login.proofOf === "challenge" ? "" : GIVEN.opaque;
  return adobeResponse(login, { ...GIVEN, opaque }, query.get("challenge") ?? "");
}

function limelightProof(login: TargetLogin, query: ReadonlyMap<string, string>, app: string): string {
  return limelightResponse(login, app, NONCE, query.get("cnonce") ?? "");
}

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

/** The login schemes of Adobe and of Limelight. */
export const LOGIN_SCHEMES = AUTH_SCHEMES;

/** The accepted login, and how the target asks for it. */
export type TargetLogin = Credentials & {
  readonly scheme: AuthScheme;
  /** It stays connected after it asked or refused, as some servers do; by default it closes. */
  readonly keepsOpen?: boolean;
  /** What Adobe's proof is made with; default `opaque`, as in most servers. */
  readonly proofOf?: "opaque" | "challenge";
};

/** Always the same, so that a proof can be checked on another connection than the one that asked for it. */
const GIVEN: AdobeChallenge = { salt: "c2FsdA==", challenge: "Y2hhbGxlbmdl", opaque: "b3BhcXVl" };
const NONCE = "a1b2c3d4";

/** The application without what a login adds to it. */
export function appWithoutLogin(app: string): string {
  return app.replace(/[?&]authmod=.*$/s, "");
}

/** The text with which `connect` is refused because of the login; undefined where the login is accepted. */
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

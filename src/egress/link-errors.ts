import { type MachineTrouble, machineTroubleOf } from "../base/system-errors.ts";
import type { ForbiddenReason } from "../net/target-address.ts";
import type { ClientFailure, ClientStage } from "../protocol/rtmp/client/client-outputs.ts";
import { type TargetErrorName, targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";

/**
 * A target that accepts publish and closes within this time usually did not like the key, the codec or the settings, in
 * milliseconds.
 */
const SHORT_LIFE_MS = 5_000;

/** A malformed host, or an address that targets may not have. */
export function forbiddenAddress(reason: ForbiddenReason): TargetError {
  switch (reason) {
    case "own-listener":
      return targetError("address-own");
    case "port":
      return targetError("address-port");
    case "metadata":
      return targetError("address-metadata");
    case "own-address":
    case "loopback":
    case "unspecified":
    case "private":
    case "link-local":
    case "multicast":
    case "reserved":
      return targetError("address-not-public", reason);
    default:
      return targetError("address-unusable", reason);
  }
}

/** This machine lacked something: `detail` names the kind of address. */
export function machineError(trouble: MachineTrouble, detail = ""): TargetError {
  return targetError(`server-${trouble}`, detail);
}

/** `host`: as in the URL. `isPresetHost`: it is one of a preset. */
type NameLookup = { readonly host: string; readonly isPresetHost: boolean };

/**
 * The error of a name that was not resolved. A name that exists only in its own network is seldom a typing error, and
 * one of a preset never is. `trouble`: what this machine lacked for the lookup.
 */
export function nameNotResolved(
  fault: "not-found" | "timeout" | "failed",
  { host, isPresetHost }: NameLookup,
  trouble?: MachineTrouble,
): TargetError {
  if (trouble !== undefined) return machineError(trouble);
  const name = host.endsWith(".") ? host.slice(0, -1) : host;
  const isShort = !name.includes(".") || name.endsWith(".local");
  if (fault === "not-found" && isPresetHost) return targetError("known-name-unknown");
  if (fault === "not-found" && isShort) return targetError("name-not-full");
  return targetError(
    ({ "not-found": "name-unknown", timeout: "name-server-silent", failed: "name-failed" } as const)[fault],
  );
}

/**
 * An error of the operating system or of TLS, while a connection was made or later. `isSecure`: over TLS, which was agreed
 * on.
 */
export function socketError(systemCode: string | undefined, stage: ClientStage | "tcp", isSecure = false): TargetError {
  const isOnAir = stage === "publishing";
  const trouble = machineTroubleOf(systemCode);
  if (trouble !== undefined) return machineError(trouble);
  // A server of TLS 1.3 looks at our certificate, or finds none, when the connection counts as secure here already.
  if (stage === "handshake" && systemCode?.startsWith("ERR_SSL_") === true) return tlsFailed(systemCode);
  switch (systemCode) {
    case "ECONNREFUSED":
      return targetError("connection-refused");
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      // A server that closes while it has not read all of our handshake resets the connection: by chance, not on purpose.
      if (stage === "handshake") return handshakeClosed(isSecure);
      return targetError(isOnAir ? "connection-broken" : "connection-broken-early");
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "ENETDOWN":
      return targetError(isOnAir ? "connection-lost" : "connection-unanswered");
    default:
      return targetError("connection-failed");
  }
}

/** It closed before it spoke RTMP. */
function handshakeClosed(isSecure: boolean): TargetError {
  return targetError(isSecure ? "handshake-closed-secure" : "handshake-closed");
}

/** The codes of OpenSSL and Node for problems of a certificate or a handshake. */
const TLS_FAULTS = {
  CERT_HAS_EXPIRED: "tls-expired",
  CERT_NOT_YET_VALID: "tls-not-yet-valid",
  DEPTH_ZERO_SELF_SIGNED_CERT: "tls-self-signed",
  // The chain ends in a root that we do not trust.
  SELF_SIGNED_CERT_IN_CHAIN: "tls-unknown-authority",
  UNABLE_TO_GET_ISSUER_CERT: "tls-unknown-authority",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "tls-unknown-authority",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls-unknown-authority",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls-wrong-host",
  ERR_TLS_CERT_ALTNAME_FORMAT: "tls-wrong-host",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "tls-too-old",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: "tls-too-old",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls-foreign",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "tls-foreign",
  ERR_SSL_UNEXPECTED_MESSAGE: "tls-foreign",
  ECONNRESET: "tls-closed",
  EPIPE: "tls-closed",
} as const satisfies Readonly<Record<string, TargetErrorName>>;

const isKnownTlsFault = (code: string): code is keyof typeof TLS_FAULTS => Object.hasOwn(TLS_FAULTS, code);

/**
 * Alerts of a server about our certificate, which we do not have: `…_ALERT_CERTIFICATE_REQUIRED` in TLS 1.3, before that
 * any of those about a bad one.
 */
const CERTIFICATE_DEMANDED = /_ALERT_.*CERTIFICATE/;

/** Why TLS with a target failed, by the error's code. */
export function tlsFailed(code: string): TargetError {
  const trouble = machineTroubleOf(code);
  if (trouble !== undefined) return machineError(trouble);
  if (isKnownTlsFault(code)) return targetError(TLS_FAULTS[code]);
  if (CERTIFICATE_DEMANDED.test(code)) return targetError("tls-certificate-demanded");
  return targetError(/CERT|CRL|ISSUER|SUBJECT/.test(code) ? "tls-certificate" : "tls-handshake");
}

/** A stage of the dialogue took longer than its deadline. */
export function stageTimedOut(stage: ClientStage, isSecure = false): TargetError {
  switch (stage) {
    case "handshake":
      return targetError(isSecure ? "handshake-unanswered-secure" : "handshake-unanswered");
    case "connect":
      return targetError("connect-unanswered");
    default:
      return targetError("publish-unanswered");
  }
}

/** The target closed the connection without a message. `livedMs`: for how long it had been publishing. */
export function closedByTarget(stage: ClientStage, livedMs: number, isSecure = false): TargetError {
  switch (stage) {
    case "handshake":
      return handshakeClosed(isSecure);
    case "connect":
      return targetError("connect-closed");
    case "publish":
      return targetError("publish-closed");
    default:
      return targetError(livedMs < SHORT_LIFE_MS ? "closed-at-once" : "closed-on-air");
  }
}

/**
 * Codes that servers use for a key that is unknown or in use. Other codes may be about anything, such as an account or
 * an expired signature.
 */
const KEY_CODES: ReadonlySet<string> = new Set([
  "NetStream.Publish.BadName",
  "NetStream.Publish.Denied",
  "NetStream.Publish.Rejected",
  "NetStream.Publish.Unauthorized",
  "",
]);

function publishRefusal({ isInUse, code }: Extract<ClientFailure, { kind: "publish-rejected" }>): TargetErrorName {
  if (isInUse) return "key-in-use";
  return KEY_CODES.has(code) ? "publish-refused" : "publish-refused-otherwise";
}

/**
 * No connection, or a forbidden one, at an address that the target redirected us to. That is the target's fault, and
 * the URL needs no correction. `error`: what the failure would mean at the target's own address.
 */
export function redirectFailed({ code }: TargetError): TargetError {
  return code === "TARGET_FORBIDDEN"
    ? targetError("redirect-refused", code)
    : targetError("redirect-unreachable", code);
}

const ABOUT_PUBLISHING = "NetStream.Publish.";

/**
 * The target ended the publication by a message. Some accept at once and look the key up afterwards: soon after the
 * start, a message about publishing is a refusal like one before it. `livedMs`: for how long it had been publishing.
 */
export function endedByTarget(
  failure: Extract<ClientFailure, { kind: "ended-by-server" }>,
  livedMs: number,
): TargetError {
  const { code, isInUse } = failure;
  const isLateRefusal = livedMs < SHORT_LIFE_MS && code.startsWith(ABOUT_PUBLISHING);
  return refusedByTarget(isLateRefusal ? { kind: "publish-rejected", code, isInUse: isInUse === true } : failure);
}

/** The target refused with an RTMP status or error. */
export function refusedByTarget(failure: ClientFailure): TargetError {
  switch (failure.kind) {
    case "login-demanded":
      return targetError("login-demanded");
    case "connect-rejected":
      return targetError(`connect-${failure.why ?? "refused"}`, failure.code);
    case "redirected":
      return targetError("connect-refused", failure.code);
    case "publish-rejected":
      return targetError(publishRefusal(failure), failure.code);
    case "bad-stream-number":
      return targetError("stream-number-broken");
    case "ended-by-server":
      return targetError("ended-by-target", failure.code);
    case "flooded":
      return targetError("sent-too-much");
    case "protocol-error":
      if (failure.during === "publishing") return targetError("unreadable-on-air");
      if (failure.expectsTls === true) return targetError("handshake-expects-tls");
      return targetError(failure.during === "handshake" ? "handshake-foreign" : "spoke-nonsense");
  }
}

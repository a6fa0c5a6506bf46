import { targetError } from "../exchange/target-errors.ts";
import type { TargetError } from "../exchange/target-status.ts";
import type { ForbiddenReason } from "../net/target-address.ts";
import type { ClientFailure, ClientStage } from "../protocol/rtmp/client-session.ts";

/** A target that accepts publish and closes within this time usually did not like key, codec or settings. */
const SHORT_LIFE_MS = 5_000;

/** A host that is no host, or an address that targets may not be at. */
export function forbiddenAddress(reason: ForbiddenReason): TargetError {
  switch (reason) {
    case "own-listener":
      return targetError("address-own");
    case "port":
      return targetError("address-port");
    case "own-address":
    case "loopback":
    case "unspecified":
    case "private":
    case "link-local":
    case "metadata":
    case "multicast":
    case "reserved":
      return targetError("address-not-public", reason);
    default:
      return targetError("address-unusable", reason);
  }
}

export function nameNotResolved(fault: "not-found" | "timeout" | "failed"): TargetError {
  const name = { "not-found": "name-unknown", timeout: "name-server-silent", failed: "name-failed" } as const;
  return targetError(name[fault]);
}

/** What the operating system said about a connection that was being made or had been made. */
export function socketError(systemCode: string | undefined, stage: ClientStage | "tcp"): TargetError {
  const isOnAir = stage === "publishing";
  switch (systemCode) {
    case "ECONNREFUSED":
      return targetError("connection-refused");
    case "ECONNRESET":
    case "EPIPE":
    case "ECONNABORTED":
      return targetError(isOnAir ? "connection-broken" : "connection-broken-early");
    case "ETIMEDOUT":
    case "EHOSTUNREACH":
    case "ENETUNREACH":
    case "EADDRNOTAVAIL":
      return targetError(isOnAir ? "connection-lost" : "connection-unanswered");
    default:
      return targetError("connection-failed");
  }
}

export function tlsFailed(kind: "certificate" | "handshake" | "unanswered"): TargetError {
  return targetError(`tls-${kind}`);
}

/** A stage of the dialogue took longer than its deadline. */
export function stageTimedOut(stage: ClientStage): TargetError {
  switch (stage) {
    case "handshake":
      return targetError("handshake-unanswered");
    case "connect":
      return targetError("connect-unanswered");
    default:
      return targetError("publish-unanswered");
  }
}

/** The target closed the connection without a word. `livedMs`: for how long it had been publishing. */
export function closedByTarget(stage: ClientStage, livedMs: number): TargetError {
  switch (stage) {
    case "handshake":
      return targetError("handshake-closed");
    case "connect":
      return targetError("connect-closed");
    case "publish":
      return targetError("publish-closed");
    default:
      return targetError(livedMs < SHORT_LIFE_MS ? "closed-at-once" : "closed-on-air");
  }
}

/** The target said no in RTMP's own words. */
export function refusedByTarget(failure: ClientFailure): TargetError {
  switch (failure.kind) {
    case "login-demanded":
      return targetError("login-demanded");
    case "connect-rejected":
      return targetError("connect-refused", failure.code);
    case "publish-rejected":
      return targetError(failure.isInUse ? "key-in-use" : "publish-refused", failure.code);
    case "ended-by-server":
      return targetError("ended-by-target", failure.code);
    case "protocol-error":
      return targetError(failure.during === "handshake" ? "handshake-foreign" : "spoke-nonsense");
  }
}

import type { CallFailure } from "../protocol/srt/caller.ts";
import type { SrtEnd } from "../protocol/srt/connection.ts";
import { type Rejection, rejectionOf } from "../protocol/srt/wire/rejections.ts";
import { type TargetErrorName, targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { closedByTarget } from "./link-errors.ts";

/** What a listener's rejection means for the person who set the target up. */
const REJECTED: Readonly<Record<Rejection, TargetErrorName>> = {
  unknown: "srt-refused",
  system: "srt-busy",
  peer: "srt-refused",
  resource: "srt-busy",
  rogue: "srt-unsupported",
  backlog: "srt-busy",
  internal: "srt-busy",
  closing: "srt-busy",
  version: "srt-unsupported",
  rendezvous: "srt-unsupported",
  badSecret: "srt-passphrase",
  unsecure: "srt-passphrase-one-side",
  messageApi: "srt-unsupported",
  congestion: "srt-unsupported",
  filter: "srt-unsupported",
  group: "srt-unsupported",
  timeout: "srt-busy",
  crypto: "srt-unsupported",
  badRequest: "srt-stream-id",
  unauthorised: "srt-stream-id",
  overload: "srt-busy",
  forbidden: "srt-stream-id",
  notFound: "srt-stream-id",
  badMode: "srt-stream-id",
  unacceptable: "srt-stream-id",
  conflict: "srt-in-use",
  mediaType: "srt-stream-id",
  locked: "srt-in-use",
  internalError: "srt-busy",
  notImplemented: "srt-unsupported",
  unavailable: "srt-busy",
};

/** A call that did not become a connection. */
export function callFailed(failure: CallFailure): TargetError {
  switch (failure.kind) {
    case "rejected": {
      const name = rejectionOf(failure.code);
      return targetError(name === undefined ? "srt-refused" : REJECTED[name], `SRT ${failure.code}`);
    }
    case "no-answer":
      return targetError("srt-unanswered");
    case "bad-secret":
      return targetError("srt-passphrase");
    case "unsecure":
      return targetError("srt-passphrase-one-side");
    default:
      return targetError("srt-foreign", failure.kind === "old-version" ? "SRT older than 1.3" : "");
  }
}

/** A connection that ended by itself. `livedMs`: how long it was publishing; undefined: it never was. */
export function connectionEnded(end: SrtEnd, livedMs: number | undefined): TargetError {
  if (end.kind === "broken") return targetError("srt-foreign");
  if (end.kind === "silent") return targetError(livedMs === undefined ? "srt-unanswered" : "connection-lost");
  return livedMs === undefined ? targetError("srt-refused") : closedByTarget("publishing", livedMs);
}

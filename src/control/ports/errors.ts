import type { PlanType } from "../channels/plan.ts";

/** Why a use case was refused: the caller's fault, not the server's. */
export type DomainFault =
  | { readonly kind: "channel-not-found" }
  | { readonly kind: "target-not-found" }
  /** The channel is on air, and this is not possible on air. */
  | { readonly kind: "channel-publishing" }
  /** The encoder is connected, or the broadcast is over: there is no hold to extend or end. */
  | { readonly kind: "not-held" }
  /** The hold cannot be longer. */
  | { readonly kind: "hold-limit" }
  /** The channel is on air, or held for its encoder: a test pattern would disturb it. */
  | { readonly kind: "encoder-on-air" }
  | { readonly kind: "test-pattern-running" }
  | { readonly kind: "no-test-pattern" }
  /** As many test patterns run as may on one server. */
  | { readonly kind: "too-many-test-patterns" }
  | { readonly kind: "ffmpeg-missing" }
  | { readonly kind: "media-file-not-found" }
  /** It is not whole, not checked yet, or cannot be played. */
  | { readonly kind: "media-file-not-ready" }
  /** A channel plays it, or would. */
  | { readonly kind: "media-file-in-use" }
  /** It lies in the watched folder. */
  | { readonly kind: "media-file-watched" }
  /** The library has as many files or bytes as it may. */
  | { readonly kind: "media-quota" }
  | { readonly kind: "media-disk-full" }
  /** The next bytes of the file begin there, or none are missing. */
  | { readonly kind: "media-offset"; readonly at: number }
  | { readonly kind: "no-slate" }
  | { readonly kind: "not-on-air" }
  | { readonly kind: "no-source" }
  | { readonly kind: "source-running" }
  | { readonly kind: "source-not-running" }
  /** A source never interrupts an encoder. */
  | { readonly kind: "source-encoder-on-air" }
  | { readonly kind: "schedule-not-found" }
  /** A field is missing that goes with others. */
  | { readonly kind: "schedule-incomplete"; readonly missing: "onDate" | "days" }
  | { readonly kind: "schedule-two-ends" }
  /** It would never start. */
  | { readonly kind: "schedule-past" }
  /** Another schedule of the channel starts at the same moment. */
  | { readonly kind: "schedule-conflict" }
  | { readonly kind: "too-many-schedules" }
  /** The channel is turned off, and this takes one that is on. */
  | { readonly kind: "channel-off" }
  /** This server begins no broadcast now. */
  | { readonly kind: "server-overloaded" }
  /** The target is switched off, and this needs it switched on. */
  | { readonly kind: "target-off" }
  /** The target's own link is connected or connecting. */
  | { readonly kind: "target-linked" }
  | { readonly kind: "twin-linked" }
  | { readonly kind: "target-under-test" }
  /** The channel has no backup ingest, so it has no backup key. */
  | { readonly kind: "backup-off" }
  /** Another channel's encoders log in with this name. */
  | { readonly kind: "ingest-login-taken" }
  | { readonly kind: "ingest-login-incomplete"; readonly missing: "id" | "password" }
  | { readonly kind: "recording-not-found" }
  /** The recording is being written. */
  | { readonly kind: "recording-in-use" }
  | { readonly kind: "access-key-not-found" }
  /** No such server serves, or this one works alone. */
  | { readonly kind: "node-not-found" }
  /** Broadcasts shall move to a server that there is not, or that takes none. */
  | { readonly kind: "move-to-unknown" }
  | { readonly kind: "move-to-itself" }
  | { readonly kind: "move-to-draining" }
  | { readonly kind: "move-to-silent" }
  | { readonly kind: "move-to-lost" }
  /** No other server takes channels. */
  | { readonly kind: "no-other-node" }
  | { readonly kind: "delivery-not-found" }
  | { readonly kind: "endpoint-not-found" }
  | { readonly kind: "contact-not-found" }
  /** There are as many as may be. */
  | { readonly kind: "too-many-contacts"; readonly limit: number }
  /** The most test messages are already on their way. */
  | { readonly kind: "endpoint-tests-running" }
  /** Without it, no client could make another key. */
  | { readonly kind: "last-manager-key" }
  | {
      readonly kind: "too-many-targets";
      readonly planType: PlanType;
      readonly limit: number;
      readonly given: number;
    };

/** A fault to report to the caller; nothing was changed. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly fault: DomainFault;
  constructor(fault: DomainFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** The node that owns the channel did not take a command: it is silent, or cannot be reached. It may have done it. */
export class OwnerUnavailableError extends Error {
  override readonly name = "OwnerUnavailableError";
}

/** Another node owns the channel: nothing of this node can play into it. */
export class ChannelElsewhereError extends Error {
  override readonly name = "ChannelElsewhereError";
}

/**
 * Why the database accepts no writes at the moment; `damaged` and those of a server (`unreachable` and all after it): some or all
 * reads fail too.
 */
export type StoreTrouble =
  | "locked"
  | "full"
  | "unwritable"
  | "damaged"
  | "unreachable"
  /** The server has no connection or memory left. */
  | "crowded"
  /** The server does not let this user in, or not at the tables. */
  | "refused"
  /** The server gave a statement up that took too long. */
  | "slow";

/** In these the database says nothing, or takes no writes. One that is locked by another's write does in a moment. */
const AWAY: ReadonlySet<StoreTrouble> = new Set(["unreachable", "unwritable", "full", "crowded", "refused", "slow"]);

/** The database cannot do it now. Nothing was changed; the caller can try again later. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
  readonly trouble: StoreTrouble;
  /** Which file, where that is known. */
  readonly path: string | undefined;
  constructor(trouble: StoreTrouble, options: ErrorOptions & { readonly path?: string } = {}) {
    super(
      `${`the database ${options.path ?? ""} is ${trouble}`.replace("  ", " ")}${reasonOf(options.cause)}`,
      options,
    );
    this.trouble = trouble;
    this.path = options.path;
  }
}

/** What the database itself says, which is what an operator needs. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && cause.message !== "" ? `: ${cause.message}` : "";
}

/** Whether the database could not be asked at all, or takes no writes: as a standby, or where its disk is full. */
export function isDatabaseAway(error: unknown): boolean {
  return error instanceof StoreUnavailableError && AWAY.has(error.trouble);
}

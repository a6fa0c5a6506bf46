import type { PlanType } from "../channels/plan.ts";

/** Why a use case was not carried out: the caller's doing, not ours. */
export type DomainFault =
  | { readonly kind: "channel-not-found" }
  | { readonly kind: "target-not-found" }
  /** The channel is on air, and this cannot be done to a channel on air. */
  | { readonly kind: "channel-publishing" }
  /** The encoder is there, or the broadcast is over: there is no hold to extend or end. */
  | { readonly kind: "not-held" }
  /** The hold is as long as it may be. */
  | { readonly kind: "hold-limit" }
  /** The target is switched off, and this takes one that is on. */
  | { readonly kind: "target-off" }
  /** The target's own link is up or being made. */
  | { readonly kind: "target-linked" }
  | { readonly kind: "twin-linked" }
  | { readonly kind: "target-under-test" }
  /** The channel has no backup ingest, and this is about its key. */
  | { readonly kind: "backup-off" }
  /** Another channel's encoders log in with this name. */
  | { readonly kind: "ingest-login-taken" }
  | { readonly kind: "ingest-login-incomplete"; readonly missing: "id" | "password" }
  | { readonly kind: "access-key-not-found" }
  | { readonly kind: "delivery-not-found" }
  | { readonly kind: "endpoint-not-found" }
  /** As many test messages are on their way as may be. */
  | { readonly kind: "endpoint-tests-running" }
  /** Nobody could make another key without it. */
  | { readonly kind: "last-manager-key" }
  | {
      readonly kind: "too-many-targets";
      readonly planType: PlanType;
      readonly limit: number;
      readonly given: number;
    };

/** Tell the caller; nothing was changed. */
export class DomainError extends Error {
  override readonly name = "DomainError";
  readonly fault: DomainFault;
  constructor(fault: DomainFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

/** Why the database does not take a write at the moment; `damaged`, `unreachable`: nor give what was asked for. */
export type StoreTrouble = "locked" | "full" | "unwritable" | "damaged" | "unreachable";

/** The database cannot do it now: nothing was changed, try again later, or have it mended. */
export class StoreUnavailableError extends Error {
  override readonly name = "StoreUnavailableError";
  readonly trouble: StoreTrouble;
  /** Which file, where that is known. */
  readonly path: string | undefined;
  constructor(trouble: StoreTrouble, options: ErrorOptions & { readonly path?: string } = {}) {
    super(`the database ${options.path ?? ""} is ${trouble}`.replace("  ", " "), options);
    this.trouble = trouble;
    this.path = options.path;
  }
}

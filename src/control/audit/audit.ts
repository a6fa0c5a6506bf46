import type { AuditAction, AuditActorKind, AuditClient } from "../../api-contract/audit/audit-actions.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Page } from "../ports/store.ts";

/** A value of a setting as a record has it: never a secret. */
export type AuditValue = string | number | boolean | readonly string[];

/** One setting before and after a change; absent where it was, or is, not set. A secret is `***`. */
export type FieldChange = { readonly field: string; readonly before?: AuditValue; readonly after?: AuditValue };

/** Who made a change, and from where. */
export type AuditOrigin = {
  readonly actor: AuditActorKind;
  /** The id of the access key, or the name of the session; absent where there is neither. */
  readonly actorId?: string;
  /** The name of the access key at that time. */
  readonly actorName?: string;
  readonly client: AuditClient;
  readonly remoteAddress?: string;
  /** What the client calls itself, shortened. */
  readonly userAgent?: string;
};

/** What a change was about. */
export type AuditSubject = {
  readonly channelId?: ChannelId;
  readonly targetId?: TargetId;
  /** The id of anything else: an access key, a media file, a recording, a server, a delivery. */
  readonly subject?: string;
};

/** One change as kept. */
export type AuditRecord = AuditOrigin &
  AuditSubject & {
    readonly auditId: number;
    /** Milliseconds since the Unix epoch. */
    readonly time: number;
    readonly action: AuditAction;
    /** That of the request; unique. */
    readonly traceId: string;
    /** The channel's name at that time. */
    readonly channelName?: string;
    readonly changes: readonly FieldChange[];
  };

/** What a store notes of a change, in the transaction that makes it. */
export type NotedChange = AuditSubject & { readonly changes: readonly FieldChange[] };

/**
 * The change that a request makes. What the stores note of it becomes its record; a change without a transaction of its
 * own gets its record before the answer.
 */
export type AuditScope = {
  readonly action: AuditAction;
  readonly traceId: string;
  readonly time: number;
  readonly origin: AuditOrigin;
  about: AuditSubject;
  /** What changes where no transaction notes it: a file has none. */
  changes?: readonly FieldChange[];
  /** `open`: nothing is stored yet. `closed`: the request is over, and what runs on belongs to nobody's request. */
  state: "open" | "noted" | "closed";
};

/** What this server, or a command on its machine, does by itself. `id` makes the record's trace id. */
export function ownScope(action: AuditAction, actor: "server" | "command", id: string, time: number): AuditScope {
  return { action, traceId: `${actor}-${id}`, time, origin: { actor, client: "server" }, about: {}, state: "open" };
}

export type AuditFilter = {
  readonly channelId?: ChannelId;
  /** The id of an access key or a session, or a kind of actor. */
  readonly actor?: string;
  readonly action?: AuditAction;
  /** From and to when, both included, milliseconds since the Unix epoch. */
  readonly from?: number;
  readonly to?: number;
};

/** The store of the audit. Every call may reject with StoreUnavailableError. */
export interface AuditStore {
  /** Stores the record of a change that no transaction has noted. Does nothing where its trace id has one. */
  appendAudit(scope: AuditScope): Promise<void>;
  /** Newest first; `total` counts all pages. */
  listAudit(
    filter: AuditFilter,
    page: Page,
  ): Promise<{ readonly records: readonly AuditRecord[]; readonly total: number }>;
  /**
   * Removes at most `limit` records: those from before `time`, and the oldest beyond `rowsMax`. Returns how many it
   * removed.
   */
  pruneAudit(time: number, rowsMax: number, limit: number): Promise<number>;
}

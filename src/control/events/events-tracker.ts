import type { ChannelId, IngestSlot, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Fact, IngestEnd } from "../../thread-protocol/facts.ts";
import type { ConnectStatus, TargetError, TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import type { ChannelNotice } from "../channels/channel-notice.ts";
import type { OverThreshold } from "../ingest-check/over-threshold.ts";

/** A fact, a notice or a measurement that is worth an event. */
export type Occurrence =
  | { readonly kind: "notice"; readonly time: number; readonly channelId: ChannelId; readonly notice: ChannelNotice }
  | { readonly kind: "publish-started"; readonly time: number; readonly channelId: ChannelId }
  | {
      readonly kind: "publish-ended";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly end: IngestEnd;
    }
  /** Media comes from the other of the channel's two encoders now. */
  | { readonly kind: "slot-enabled"; readonly time: number; readonly channelId: ChannelId; readonly slot: IngestSlot }
  | { readonly kind: "backup-connected"; readonly time: number; readonly channelId: ChannelId }
  | {
      readonly kind: "held";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly slot: IngestSlot;
      readonly end: IngestEnd;
      readonly holdSeconds: number;
    }
  | {
      readonly kind: "resumed";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly slot: IngestSlot;
      readonly heldMs: number;
    }
  /** Pictures stopped, for so long by now, while sound goes on; or they are back after so long. */
  | {
      readonly kind: "video-frozen" | "video-resumed";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly slot: IngestSlot;
      readonly awayMs: number;
    }
  | { readonly kind: "encoders-fight"; readonly time: number; readonly channelId: ChannelId; readonly slot: IngestSlot }
  | {
      readonly kind: "backup-differs";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly detail: string;
    }
  | (OverThreshold & { readonly kind: "over-threshold"; readonly time: number; readonly channelId: ChannelId })
  | { readonly kind: "overload-refused"; readonly time: number; readonly channelId: ChannelId }
  | { readonly kind: "auth-failed"; readonly time: number; readonly channelId: ChannelId }
  | {
      readonly kind: "target-settled";
      readonly time: number;
      readonly channelId: ChannelId;
      readonly targetId: TargetId;
      readonly from: ConnectStatus;
      readonly to: ConnectStatus;
      readonly error?: TargetError;
    };

/** Where a target was last settled; READY where it is not remembered. */
type Settled = { readonly status: ConnectStatus; readonly reason: string | undefined };
const READY: Settled = { status: "READY", reason: undefined };

/** A refused encoder comes back every second: a fight is told again after this long, in milliseconds. */
const FIGHT_TOLD_AGAIN_MS = 60_000;
/** The same of a refused login; of no more channels at a time, so that nobody fills memory with guesses. */
const AUTH_TOLD_AGAIN_MS = 60_000;
const AUTH_TOLD_MAX = 1_000;

type OnAir = {
  /** Where its media comes from. */
  slot: IngestSlot;
  isHeld: boolean;
  /** When a fight for a key was last told. */
  readonly foughtAt: Map<IngestSlot, number>;
};

/**
 * Tells which facts are worth an event. A target's attempts are not: only PUBLISHING, READY, and FAIL for a reason
 * that was not the last one. Remembers channels on air and targets that are not READY, nothing else.
 */
export class EventTracker {
  readonly #onAir = new Map<ChannelId, OnAir>();
  readonly #settled = new Map<TargetId, Settled>();
  /** When a refused login was last told. */
  readonly #authFailedAt = new Map<ChannelId, number>();
  /** The same of one that came while the server could not keep up. */
  readonly #overloadedAt = new Map<ChannelId, number>();

  fact(fact: Fact): readonly Occurrence[] {
    switch (fact.kind) {
      case "ingest-started":
        return this.#started(fact.time, fact.channelId, fact.slot);
      case "source-active":
        return this.#activated(fact.time, fact.channelId, fact.slot, fact.heldMs);
      case "ingest-held": {
        const { time, channelId, slot, end, holdSeconds } = fact;
        const channel = this.#onAir.get(channelId);
        if (channel === undefined) return [];
        channel.isHeld = true;
        return [{ kind: "held", time, channelId, slot, end, holdSeconds }];
      }
      case "pictures-stopped":
        return [
          { kind: "video-frozen", time: fact.time, channelId: fact.channelId, slot: fact.slot, awayMs: fact.silentMs },
        ];
      case "pictures-back":
        return [
          { kind: "video-resumed", time: fact.time, channelId: fact.channelId, slot: fact.slot, awayMs: fact.awayMs },
        ];
      case "standby-differs": {
        const { time, channelId, detail } = fact;
        return [{ kind: "backup-differs", time, channelId, detail }];
      }
      case "encoders-fight":
        return this.#fought(fact.time, fact.channelId, fact.slot);
      case "ingest-ended": {
        const { time, channelId, end } = fact;
        if (!fact.isBroadcastOver || !this.#onAir.delete(channelId)) return [];
        return [{ kind: "publish-ended", time, channelId, end }];
      }
      case "ingest-refused":
        return fact.channelId === undefined
          ? []
          : this.#refused(fact.time, fact.channelId, fact.reason === "overloaded");
      case "target-status":
        return this.#settle(fact.channelId, fact.targetId, fact.time, fact.status);
      default:
        return [];
    }
  }

  notice(notice: ChannelNotice): Occurrence {
    // Nothing more is told of a target that is gone.
    if (notice.kind === "target-removed" && notice.target !== undefined) this.#settled.delete(notice.target.targetId);
    return { kind: "notice", time: notice.time, channelId: notice.channelId, notice };
  }

  #started(time: number, channelId: ChannelId, slot: IngestSlot): readonly Occurrence[] {
    const occurrences: Occurrence[] = [];
    // A takeover, a return or a standby begins no broadcast.
    if (!this.#onAir.has(channelId)) {
      this.#onAir.set(channelId, { slot, isHeld: false, foughtAt: new Map() });
      occurrences.push({ kind: "publish-started", time, channelId });
    }
    if (slot === "backup") occurrences.push({ kind: "backup-connected", time, channelId });
    return occurrences;
  }

  #activated(time: number, channelId: ChannelId, slot: IngestSlot, heldMs: number): readonly Occurrence[] {
    const channel = this.#onAir.get(channelId);
    if (channel === undefined) return [];
    const occurrences: Occurrence[] = [];
    if (channel.slot !== slot) occurrences.push({ kind: "slot-enabled", time, channelId, slot });
    if (channel.isHeld) occurrences.push({ kind: "resumed", time, channelId, slot, heldMs });
    channel.slot = slot;
    channel.isHeld = false;
    return occurrences;
  }

  #fought(time: number, channelId: ChannelId, slot: IngestSlot): readonly Occurrence[] {
    const foughtAt = this.#onAir.get(channelId)?.foughtAt;
    if (foughtAt === undefined) return [];
    const last = foughtAt.get(slot);
    // A wall clock that was set back must not silence it.
    if (last !== undefined && time >= last && time - last < FIGHT_TOLD_AGAIN_MS) return [];
    foughtAt.set(slot, time);
    return [{ kind: "encoders-fight", time, channelId, slot }];
  }

  #refused(time: number, channelId: ChannelId, isOverload: boolean): readonly Occurrence[] {
    const toldAt = isOverload ? this.#overloadedAt : this.#authFailedAt;
    const last = toldAt.get(channelId);
    if (last !== undefined && time >= last && time - last < AUTH_TOLD_AGAIN_MS) return [];
    if (toldAt.size >= AUTH_TOLD_MAX) toldAt.clear();
    toldAt.set(channelId, time);
    return [{ kind: isOverload ? "overload-refused" : "auth-failed", time, channelId }];
  }

  #settle(channelId: ChannelId, targetId: TargetId, time: number, now: TargetStatus): readonly Occurrence[] {
    if (now.status === "CONNECTING") return [];
    const error = now.status === "FAIL" ? now.lastError : undefined;
    const before = this.#settled.get(targetId) ?? READY;
    if (before.status === now.status && before.reason === error?.code) return [];
    if (now.status === "READY") this.#settled.delete(targetId);
    else this.#settled.set(targetId, { status: now.status, reason: error?.code });
    const from = before.status;
    const settled = { kind: "target-settled", time, channelId, targetId, from, to: now.status } as const;
    return [error === undefined ? settled : { ...settled, error }];
  }
}

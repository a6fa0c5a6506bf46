import type { ChannelId, IngestSlot, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { RecordingProblem } from "../../thread-protocol/recordings/recordings.ts";
import type { ConnectStatus } from "../../thread-protocol/targets/target-status.ts";
import type { ChannelChanged, ServerFact } from "../facts/server-fact.ts";
import * as draft from "./event-drafts.ts";
import type { EventDraft } from "./events.ts";

type FactOf<Kind extends Fact["kind"]> = Extract<Fact, { kind: Kind }>;

/** Where a target last settled; READY where it is not remembered. */
type Settled = { readonly status: ConnectStatus; readonly reason: string | undefined };
const READY: Settled = { status: "READY", reason: undefined };

/** A refused encoder comes back every second: a fight for a key makes an event at most this often, in milliseconds. */
const FIGHT_REPORTED_AGAIN_MS = 60_000;
/** The same for a refused login. The number of channels is bounded, so guesses cannot fill memory. */
const REFUSAL_REPORTED_AGAIN_MS = 60_000;
const REFUSAL_CHANNELS_MAX = 1_000;

type OnAir = {
  /** The slot that media comes from. */
  slot: IngestSlot;
  isHeld: boolean;
  /** When a fight for each key last made an event. */
  readonly foughtAt: Map<IngestSlot, number>;
};

/**
 * Decides which facts become events. Of a target, only PUBLISHING, READY, and FAIL with a new reason do; its attempts
 * do not. Remembers channels on air, targets that are not READY, and recent refusals.
 */
export class EventTracker {
  readonly #onAir = new Map<ChannelId, OnAir>();
  readonly #settled = new Map<TargetId, Settled>();
  /** Channels that are recorded, or why they are not. */
  readonly #recording = new Map<ChannelId, "RECORDING" | RecordingProblem>();
  /** When a refusal last made an event, by channel and reason. */
  readonly #refusedAt = new Map<string, number>();

  /** Returns the events of this fact, in order; mostly none. */
  fact(fact: ServerFact): readonly EventDraft[] {
    switch (fact.kind) {
      case "channel-changed":
        return this.#changed(fact);
      case "ingest-started":
        return this.#started(fact);
      case "publisher-active":
        return this.#activated(fact);
      case "ingest-held":
        return this.#held(fact);
      case "video-stopped":
        return [draft.videoFrozen(fact)];
      case "video-back":
        return [draft.videoResumed(fact)];
      case "standby-differs":
        return [draft.backupDiffers(fact)];
      case "encoders-fight":
        return this.#fought(fact);
      case "ingest-ended":
        return this.#ended(fact);
      case "ingest-refused":
        return this.#refused(fact);
      case "recording-upload":
        return [draft.uploadChanged(fact)];
      case "recording-status":
        return this.#recorded(fact);
      case "target-status":
        return this.#settle(fact);
      case "over-threshold":
        return [draft.overThreshold(fact)];
      case "source-changed":
        return [draft.sourceChanged(fact)].filter((each) => each !== undefined);
      case "schedule-ran":
        return [draft.scheduleRan(fact)];
      case "slate-failed":
        return [draft.slateFailed(fact)];
      case "silence-changed":
        return [draft.silenceChanged(fact)];
      case "broadcast-lost":
        return [draft.broadcastLost(fact)];
      default:
        return [];
    }
  }

  #changed(fact: ChannelChanged): readonly EventDraft[] {
    // A removed target makes no more events.
    if (fact.change === "target-removed" && fact.target !== undefined) this.#settled.delete(fact.target.targetId);
    return [draft.changed(fact)];
  }

  #started(fact: FactOf<"ingest-started">): readonly EventDraft[] {
    const events: EventDraft[] = [];
    // A takeover, a return or a standby does not begin a broadcast.
    if (!this.#onAir.has(fact.channelId)) {
      this.#onAir.set(fact.channelId, { slot: fact.slot, isHeld: false, foughtAt: new Map() });
      events.push(draft.publishStarted(fact));
    }
    if (fact.slot === "backup") events.push(draft.backupConnected(fact));
    return events;
  }

  #activated(fact: FactOf<"publisher-active">): readonly EventDraft[] {
    const channel = this.#onAir.get(fact.channelId);
    if (channel === undefined) return [];
    const events: EventDraft[] = [];
    if (channel.slot !== fact.slot) events.push(draft.slotEnabled(fact, fact.slot));
    if (channel.isHeld) events.push(draft.resumed(fact));
    channel.slot = fact.slot;
    channel.isHeld = false;
    return events;
  }

  #ended(fact: FactOf<"ingest-ended">): readonly EventDraft[] {
    if (fact.isBroadcastOver) return this.#onAir.delete(fact.channelId) ? [draft.publishEnded(fact)] : [];
    if (fact.end === "test-pattern-over") return [draft.testPatternEnded(fact)];
    return fact.end === "replaced" ? [draft.encoderReplaced(fact)] : [];
  }

  #held(fact: FactOf<"ingest-held">): readonly EventDraft[] {
    const channel = this.#onAir.get(fact.channelId);
    if (channel === undefined) return [];
    channel.isHeld = true;
    return fact.isSlateShown === true ? [draft.held(fact), draft.slateShown(fact)] : [draft.held(fact)];
  }

  #fought(fact: FactOf<"encoders-fight">): readonly EventDraft[] {
    const foughtAt = this.#onAir.get(fact.channelId)?.foughtAt;
    if (foughtAt === undefined || isRecent(foughtAt.get(fact.slot), fact.time, FIGHT_REPORTED_AGAIN_MS)) return [];
    foughtAt.set(fact.slot, fact.time);
    return [draft.encodersFight(fact)];
  }

  #refused(fact: FactOf<"ingest-refused">): readonly EventDraft[] {
    const { time, channelId, reason } = fact;
    // Two encoders that fight for a key are an event of their own.
    if (channelId === undefined || reason === "encoders-fight") return [];
    const key = `${channelId} ${reason}`;
    if (isRecent(this.#refusedAt.get(key), time, REFUSAL_REPORTED_AGAIN_MS)) return [];
    if (this.#refusedAt.size >= REFUSAL_CHANNELS_MAX) this.#refusedAt.clear();
    this.#refusedAt.set(key, time);
    return [draft.encoderRefused(fact, channelId)];
  }

  /** A recording that is tried again and fails for the same reason is not news. */
  #recorded(fact: FactOf<"recording-status">): readonly EventDraft[] {
    const { channelId, status } = fact;
    const before = this.#recording.get(channelId);
    if (status.status === "FAIL") {
      this.#recording.set(channelId, status.problem);
      return before === status.problem ? [] : [draft.recordingFailed(fact, status.problem)];
    }
    if (status.status === "RECORDING") {
      this.#recording.set(channelId, "RECORDING");
      return [draft.recordingStarted(fact)];
    }
    this.#recording.delete(channelId);
    return before === "RECORDING" ? [draft.recordingEnded(fact)] : [];
  }

  #settle(fact: FactOf<"target-status">): readonly EventDraft[] {
    const { targetId, status: now } = fact;
    if (now.status === "CONNECTING") return [];
    const error = now.status === "FAIL" ? now.lastError : undefined;
    const before = this.#settled.get(targetId) ?? READY;
    if (before.status === now.status && before.reason === error?.code) return [];
    if (now.status === "READY") this.#settled.delete(targetId);
    else this.#settled.set(targetId, { status: now.status, reason: error?.code });
    return [draft.targetSettled(fact, before.status, now.status, error)];
  }
}

/** Whether this happened less than `withinMs` ago. A wall clock that was set back does not suppress events. */
function isRecent(lastTime: number | undefined, time: number, withinMs: number): boolean {
  return lastTime !== undefined && time >= lastTime && time - lastTime < withinMs;
}

import type {
  ChannelId,
  ChannelSpec,
  IngestSlot,
  Latency,
  TargetId,
  TargetSpec,
} from "../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../thread-protocol/facts.ts";
import { FREEZE_TIMES } from "../thread-protocol/freeze-times.ts";
import type { HoldChange } from "../thread-protocol/hold-limits.ts";
import type { Keyframe } from "../thread-protocol/keyframe.ts";
import type { ChannelSample } from "../thread-protocol/samples.ts";
import type { SwitchMessage } from "../thread-protocol/targets/target-switch.ts";
import { Broadcast } from "./broadcast/broadcast.ts";
import { DEAD_AFTER_MS } from "./broadcast/broadcast-rules.ts";
import type { PublisherFact } from "./broadcast/broadcast-state.ts";
import type { ChannelDeps } from "./channel-deps.ts";
import { Publisher, type PublisherDescription, type PublisherHandle } from "./publisher/publisher.ts";
import { takeoverGuards } from "./publisher/takeover-guard.ts";
import { FanOut } from "./rendition/fan-out.ts";
import type { StreamConnections } from "./rendition/fan-out-deps.ts";
import type { Slate } from "./stream/slate/slate.ts";
import { ChannelRecording } from "./subscriber/recording/channel-recording.ts";
import type { ChannelTargets } from "./subscriber/rtmp-push/channel-targets.ts";
import type { Target } from "./subscriber/rtmp-push/target.ts";
import type { LinkClose, Subscriber } from "./subscriber/subscriber.ts";
import { targetsOf } from "./target-facts.ts";

/** The publisher that goes only to these targets. */
type ChosenTargets = { readonly ingestId: number; readonly targetIds: ReadonlySet<TargetId> };

/**
 * One channel: its publishers and broadcasts (`broadcast/broadcast`) joined to its targets and previews (`rendition/fan-out`).
 *
 * A newcomer takes over at its first keyframe. Until then the present publisher stays on air. A standby (the other key) takes over,
 * also at a keyframe, when the one on air is lost or silent. The main one returns after half a minute without a gap.
 */
export class Channel {
  #spec: ChannelSpec;
  readonly #deps: ChannelDeps;
  readonly #out: FanOut;
  readonly #targets: ChannelTargets;
  readonly #recording: ChannelRecording;
  readonly #broadcast: Broadcast;
  readonly #guards = takeoverGuards();
  /** The test pattern that runs for chosen targets: the others count as switched off meanwhile. */
  #chosen: ChosenTargets | undefined;

  constructor(spec: ChannelSpec, deps: ChannelDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#targets = targetsOf(spec.channelId, deps, () => this.#out);
    const { clock, blocks, onDirty, onFault, onOver } = deps;
    this.#recording = new ChannelRecording({
      ...{ clock, channelId: spec.channelId, link: deps.recordings },
      subscribe: (subscriber) => this.#out.subscribe(subscriber),
      onStatus: (status) =>
        deps.onFact({ kind: "recording-status", time: clock.wallNow(), channelId: this.channelId, status }),
    });
    const connections = connectionsOf(this.#targets, this.#recording);
    this.#out = new FanOut({ clock, blocks, onDirty, onFault, connections });
    this.#setTargets();
    this.#recording.set(spec.isRecorded === true);
    this.#broadcast = new Broadcast({
      clock,
      out: this.#out,
      targets: this.#targets,
      onFact: (publisher, fact) => this.#publishFact(publisher, fact),
      onOver,
      settings: () => ({ holdSeconds: this.#spec.holdSeconds, freezeTimes: this.#spec.freeze ?? FREEZE_TIMES }),
    });
  }

  get channelId(): ChannelId {
    return this.#spec.channelId;
  }

  /** Whether a broadcast runs, also while it is held. */
  get isOnAir(): boolean {
    return this.#broadcast.isRunning;
  }

  /** Whether a broadcast that is over still goes out to delayed targets. */
  get isDraining(): boolean {
    return this.#targets.areDraining;
  }

  get latency(): Latency {
    return this.#spec.latency ?? "efficient";
  }

  get targets(): Iterable<Target> {
    return this.#targets.all;
  }

  /** Applies a newer spec. Targets that did not change are not affected. */
  apply(spec: ChannelSpec): void {
    if (spec.revision <= this.#spec.revision) return;
    this.#spec = spec;
    this.#setTargets();
    this.#recording.set(spec.isRecorded === true);
    this.#broadcast.publishHoldEnd();
    this.#broadcast.look();
  }

  /** Whether an encoder may publish now. Ask once, before any reply to the encoder: a takeover is counted. */
  admits(slot: IngestSlot): boolean {
    const { clock, onFact } = this.#deps;
    const present = this.#broadcast.latest(slot);
    // Only an encoder that sends can fight for its key. Replacing a silent one is always allowed: an encoder whose way
    // broke comes back while its former connections still look open. Nor is replacing a test pattern or a source a fight.
    if (present === undefined || !present.hasKey || isPast(present, clock.awakeNow())) return true;
    if (this.#guards[slot].allows(clock.now())) return true;
    onFact({ kind: "encoders-fight", time: clock.wallNow(), channelId: this.channelId, slot });
    return false;
  }

  /** An encoder with the right key begins to publish. */
  open(ingestId: number, description: PublisherDescription): PublisherHandle {
    const { clock } = this.#deps;
    const times = { nowMs: clock.now(), awakeMs: clock.awakeNow() };
    const publisher = new Publisher(ingestId, description, clock.wallNow(), times);
    const { remoteAddress, encoder, keyRemoved = [], testPatternEndTime, onlyTargetIds, sourceKind } = description;
    if (description.isGoingOn === true) this.#out.keepFirstGroups();
    const more = {
      ...(keyRemoved.length === 0 ? {} : { keyRemoved }),
      ...(testPatternEndTime === undefined ? {} : { testPatternEndTime }),
      ...(onlyTargetIds === undefined ? {} : { onlyTargetIds }),
      ...(sourceKind === undefined ? {} : { sourceKind }),
    };
    if (onlyTargetIds !== undefined) this.#choose({ ingestId, targetIds: new Set(onlyTargetIds) });
    const isBroadcastNew = !this.#broadcast.isRunning;
    this.#publishFact(publisher, { kind: "ingest-started", remoteAddress, encoder, ...more, isBroadcastNew });
    this.#broadcast.open(publisher);
    return {
      push: (message) => {
        if (this.#broadcast.has(publisher)) this.#broadcast.push(publisher, message);
      },
      end: (end) => this.#broadcast.leave(publisher, end),
    };
  }

  /** Sets what stands in front of a lost encoder, or behind the curtain; undefined: the last frame. */
  setSlate(slate: Slate | undefined): void {
    this.#broadcast.setSlate(slate);
  }

  /** Closes or opens the curtain of the broadcast that runs; does nothing where none does. */
  setCurtain(isClosed: boolean): void {
    this.#broadcast.setCurtain(isClosed);
  }

  /**
   * Extends a hold by a minute, or ends it. Does nothing where no hold runs: a broadcast whose encoder is back goes on.
   */
  changeHold(how: HoldChange): void {
    this.#broadcast.command({ kind: how === "end" ? "hold-ended" : "hold-extended" });
    this.#broadcast.publishHoldEnd();
  }

  /** Connects to a target at once that waits for its next attempt. */
  retryTarget(targetId: TargetId): void {
    this.#targets.get(targetId)?.retry();
  }

  /** Drops what is delayed of a target, which goes on live at the next keyframe. */
  cutDelay(targetId: TargetId): void {
    this.#targets.cutDelay(targetId);
  }

  /** Turns a target on or off whatever the settings say, or lets them count again: newer ones come without the switch. */
  switchTarget(how: SwitchMessage): void {
    const { targets, revision } = this.#spec;
    if ("fromRevision" in how && revision < how.fromRevision) return;
    const switched = (target: TargetSpec): TargetSpec => {
      if (target.targetId !== how.targetId) return target;
      const { isSwitchedOn: _, ...settings } = target;
      return "isOn" in how ? { ...settings, isSwitchedOn: how.isOn } : settings;
    };
    this.#spec = { ...this.#spec, targets: targets.map(switched) };
    this.#setTargets();
  }

  /** Ends the broadcast, or its hold, with what is delayed of it, and dismisses every encoder. */
  end(end: IngestEnd, how: LinkClose): void {
    this.#broadcast.command({ kind: "ended", end, how });
    this.#targets.stopDelays(how);
  }

  /**
   * Dismisses the encoders of a key as if their connections were lost, because the key changed. Later ones have the new key; test
   * patterns and sources have none.
   */
  disconnectPublisher(slot: IngestSlot, lastIngestId: number): void {
    const { publishers } = this.#broadcast;
    const ofKey = publishers.filter((each) => each.slot === slot && each.ingestId <= lastIngestId && each.hasKey);
    this.#broadcast.dismiss(ofKey, "ended");
  }

  /** Gives the stream to one more subscriber until the broadcast is over. False where the channel is not on air. */
  subscribe(subscriber: Subscriber): boolean {
    if (this.isOnAir) this.#out.subscribe(subscriber);
    return this.isOnAir;
  }

  /** The recorder has come: begin to record where it is time for it. */
  lookAtRecording(): void {
    this.#recording.look();
  }

  /** The last keyframe of the broadcast, unless the asker has the one of `knownTime`. */
  keyframe(knownTime: number | undefined): Keyframe {
    return this.#out.keyframe(knownTime);
  }

  /** Sends what the targets wait for. */
  flush(): void {
    this.#out.flush();
  }

  /** Call once a second. */
  tick(): void {
    const nowMs = this.#deps.clock.now();
    for (const publisher of this.#broadcast.publishers) publisher.tick(nowMs);
    this.#out.tick();
    this.#recording.look();
    this.#targets.tick({ isSilent: this.#broadcast.isMissed, lacksKeyframe: this.#out.lacksKeyframe });
  }

  /** Undefined before the first broadcast. */
  sample(): ChannelSample | undefined {
    const ingest = this.#broadcast.sample();
    if (ingest === undefined) return undefined;
    return {
      channelId: this.channelId,
      ingest,
      targets: this.#targets.sample((tracks) => this.#broadcast.isAudioFilledFor(tracks)),
    };
  }

  #publishFact(publisher: Publisher, what: PublisherFact): void {
    const { ingestId, slot } = publisher;
    this.#deps.onFact({ ...what, time: this.#deps.clock.wallNow(), channelId: this.channelId, ingestId, slot });
    if (what.kind === "ingest-ended" && this.#chosen?.ingestId === ingestId) this.#choose(undefined);
  }

  #choose(chosen: ChosenTargets | undefined): void {
    this.#chosen = chosen;
    this.#setTargets();
  }

  #setTargets(): void {
    const chosen = this.#chosen?.targetIds;
    const present = this.#spec.targets.map((target) => {
      const isWanted = target.isSwitchedOn ?? target.isEnabled;
      const isEnabled = isWanted && chosen?.has(target.targetId) !== false;
      return isEnabled === target.isEnabled ? target : { ...target, isEnabled };
    });
    this.#targets.set(present);
  }
}

/** The targets, and the recording with them: it begins with the first media. */
function connectionsOf(targets: ChannelTargets, recording: ChannelRecording): StreamConnections {
  return {
    get haveBegun() {
      return targets.haveBegun;
    },
    want: () => {
      targets.want();
      recording.want();
    },
    unwant: (how) => {
      targets.unwant(how);
      recording.unwant();
    },
    redial: () => targets.redial(),
    endSilence: (isSameFormat) => targets.endSilence(isSameFormat),
    checkStream: () => targets.checkStream(),
    missed: (cause) => targets.missed(cause),
  };
}

/** Whether nothing comes from this publisher any more, as far as a newcomer with its key is concerned. */
function isPast(publisher: Publisher, awakeMs: number): boolean {
  return publisher.isSilent(awakeMs) || publisher.silentMs(awakeMs) >= DEAD_AFTER_MS;
}

import type { Clock, Timer } from "../../../base/clock.ts";
import { unreachable } from "../../../base/unreachable.ts";
import { NewWallSteps } from "../../../base/wall-steps.ts";
import type { TargetId, TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { DroppedFrames, TargetSample } from "../../../thread-protocol/samples.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { ConnectStatus, TargetError, TargetStatus } from "../../../thread-protocol/targets/target-status.ts";
import type { WaitingMemory } from "../../stream/waiting-memory.ts";
import type { LinkClose, StreamChoice } from "../subscriber.ts";
import { TsPush } from "../ts-push.ts";
import type { Supply } from "./health/idle-watch.ts";
import { LinkCare } from "./health/link-care.ts";
import { judgeRefusal, mayHoldKey } from "./lingering-key.ts";
import type { Dialer, Link } from "./link.ts";
import { ReconnectRequest } from "./reconnect-request.ts";
import { RtmpPush } from "./rtmp-push.ts";
import type { SendQueue } from "./send-queue.ts";
import { choiceOf, isReaddressed, leaveFor } from "./spec-change.ts";
import { TargetCounters } from "./target-counters.ts";
import { next, statusOf, type TargetEffect, type TargetInput, type TargetState } from "./target-state.ts";

const UPLINK_STALLED = targetError("uplink-stalled");
const TOO_SLOW = targetError("too-slow");
const SERVER_FAULT = targetError("server-fault");

export type TargetDeps = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly dialer: Dialer;
  readonly memory: WaitingMemory;
  /** Takes a turn among all retries; returns how many milliseconds from now it is. */
  readonly reserveRetryMs: () => number;
  /** The status, or a detail of it, changed. */
  readonly onStatus: (target: Target, from: ConnectStatus) => void;
  /** The target accepted publish: give the stream to its push. */
  readonly onAccepted: (push: RtmpPush | TsPush) => void;
};

/**
 * One target of one channel: connects while there is media for it, makes a push for each connection, retries, and
 * counts. Nothing that happens here affects the channel or another target.
 */
export class Target {
  #spec: TargetSpec;
  readonly #deps: TargetDeps;
  #state: TargetState;
  readonly #clockSteps: NewWallSteps;
  #link: Link | undefined;
  /** Present while the target has accepted publish. */
  #push: RtmpPush | TsPush | undefined;
  #retryTimer: Timer | undefined;
  #isWanted = false;
  /** Why the target cannot take this stream. */
  #streamProblem: TargetError | undefined;
  #takesHevcEnhanced = false;
  /** Whether the target announced H.264 and AAC in Enhanced RTMP's form. */
  #takesEnhanced = false;
  readonly #reconnect = new ReconnectRequest();

  #care: LinkCare | undefined;
  /**
   * Whether its acknowledgements count as a sign of progress. False after a link was given up only because they were
   * missing.
   */
  #areAcksTrusted = true;
  #lastOnAirMs: number | undefined;
  readonly #counters = new TargetCounters();

  constructor(spec: TargetSpec, deps: TargetDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#clockSteps = new NewWallSteps(deps.clock);
    this.#state = { at: "ready", sinceTime: deps.clock.wallNow() };
  }

  get targetId(): TargetId {
    return this.#spec.targetId;
  }

  get spec(): TargetSpec {
    return this.#spec;
  }

  /** It gets HEVC in Enhanced RTMP's form if its preset lists HEVC, or its server announced it. */
  #choice(): StreamChoice {
    return {
      ...choiceOf(this.#spec),
      takesHevcEnhanced: this.#takesHevcEnhanced || this.#spec.codecs?.video?.includes("hevc") === true,
      takesEnhanced: this.#takesEnhanced,
    };
  }

  get status(): TargetStatus {
    return statusOf(this.#state);
  }

  /** Whether it got something of the stream, and still has that connection. */
  get hasBegun(): boolean {
    return this.#push?.hasBegun === true;
  }

  /** Whether it gets silence in place of audio that the stream does not have. */
  get hasSilence(): boolean {
    return this.#push?.hasSilence === true;
  }

  /** Applies a new spec. If an address, key, login or trust changed, the target is dialled at once. */
  setSpec(spec: TargetSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    const how = leaveFor(before, spec);
    // A server that the old target redirected us to must not get the new key or login.
    if (how === "end" || !spec.isEnabled) this.#reconnect.forget();
    if (how !== undefined && spec.isEnabled) this.redial(how);
    if (!spec.isEnabled) this.#step({ kind: "unwanted", how: "end" });
    else if (this.#isWanted) this.#step({ kind: "wanted" });
    // With another key or server no session of ours can still hold the key. Last, since leaving the old one sets this
    // time.
    if (!isReaddressed(before, spec)) return;
    this.#lastOnAirMs = undefined;
    this.#areAcksTrusted = true;
  }

  /** Starts the next attempt now. Counts as a retry; does nothing if nothing is wrong. */
  retry(): void {
    if (this.#state.at === "stalled") {
      this.#counters.retried();
      return this.redial("cut");
    }
    if (this.#state.at !== "waiting") return;
    this.#retryTimer?.cancel();
    this.#retryNow();
  }

  /** There is media to send. */
  want(): void {
    this.#isWanted = true;
    if (this.#spec.isEnabled) this.#step({ kind: "wanted" });
  }

  /** Sets why the target cannot take the stream (a codec, a missing track); undefined: it can. */
  setStreamProblem(problem: TargetError | undefined): void {
    const before = this.#streamProblem;
    if (before?.message === problem?.message) return;
    this.#streamProblem = problem;
    if (problem !== undefined) this.#failBy(problem);
    else if (this.#state.at === "connecting" || this.#state.at === "waiting") this.redial("cut");
  }

  #failBy(error: TargetError): void {
    this.#detach("cut");
    // If it has failed already, the old reason may be outdated.
    this.#step({ kind: this.#state.at === "waiting" ? "blamed" : "failed", error });
  }

  /**
   * There is no media any more, or the target was removed: what waits is still written, then the link is closed as
   * asked.
   */
  unwant(how: LinkClose): void {
    this.#isWanted = false;
    this.#reconnect.forget();
    this.#step({ kind: "unwanted", how });
  }

  /** Connects anew at once, unless it is not needed. */
  redial(how: LinkClose): void {
    this.#step({ kind: "redial", how });
  }

  /** Whether it has accepted publish and is connected. */
  get hasLink(): boolean {
    return this.#push !== undefined;
  }

  /** The RTMP connection that has begun with the stream; undefined where there is none. */
  get begunPush(): RtmpPush | undefined {
    return this.#push instanceof RtmpPush && this.#push.hasBegun ? this.#push : undefined;
  }

  get isStalled(): boolean {
    return this.#state.at === "stalled";
  }

  /** Reports that this server's uplink, not the target, causes the stall. */
  blameUplink(): void {
    this.#step({ kind: "blamed", error: UPLINK_STALLED });
  }

  /** Counts a frame of the encoder that went to no target: filler is sent, or no keyframe came yet. */
  missed(cause: keyof DroppedFrames): void {
    this.#push?.queue.missed(cause);
  }

  /**
   * Call once a second: counts the last second, and notices a peer that takes nothing, takes too little, or is given
   * nothing.
   */
  tick(supply: Pick<Supply, "isSilent" | "lacksKeyframe">): void {
    this.#care?.tick(this.#push?.streamPerSecond ?? 0, { ...supply, hasChosenTracks: this.#spec.tracks !== undefined });
    this.#counters.tick(this.#link, this.#care, this.#deps.clock.now());
  }

  sample(): TargetSample {
    const present = { link: this.#link, push: this.#push, care: this.#care };
    return this.#counters.sample(this.#spec.targetId, present, this.#deps.clock.now());
  }

  #step(input: TargetInput): void {
    const { clock, random, onStatus } = this.#deps;
    const before = this.#state;
    const clockStepMs = this.#clockSteps.take();
    const step = next(before, input, { nowMs: clock.now(), wallMs: clock.wallNow(), clockStepMs, random });
    if (step.next === before) return;
    this.#countPlayTime(before, step.next);
    this.#state = step.next;
    for (const effect of step.effects) this.#do(effect);
    onStatus(this, statusOf(before).status);
  }

  #do(effect: TargetEffect): void {
    switch (effect.kind) {
      case "dial":
        return this.#dial();
      case "leave-link":
        return this.#leave(effect.how);
      case "start-retry-timer":
        this.#retryTimer = this.#deps.clock.startTimer(effect.delayMs, () => this.#queueRetry());
        return;
      case "cancel-retry-timer":
        this.#retryTimer?.cancel();
        return;
      default:
        return unreachable(effect);
    }
  }

  /**
   * Links that failed together must not return together: a retry that is due waits for its turn, and the status shows
   * that.
   */
  #queueRetry(): void {
    const delayMs = Math.round(this.#deps.reserveRetryMs());
    if (delayMs === 0) return this.#retryNow();
    this.#step({ kind: "postponed", delayMs });
    this.#retryTimer = this.#deps.clock.startTimer(delayMs, () => this.#retryNow());
  }

  #retryNow(): void {
    if (this.#streamProblem === undefined) this.#counters.retried();
    this.#step({ kind: "retry-due" });
  }

  #dial(): void {
    const problem = this.#streamProblem;
    if (problem !== undefined) {
      // No useless attempt is made. Fails after this step, whose status must be reported first.
      this.#deps.clock.startTimer(0, () => {
        if (this.#streamProblem === problem && this.#link === undefined) this.#failBy(problem);
      });
      return;
    }
    const url = this.#reconnect.take();
    const spec = url === undefined ? this.#spec : { ...this.#spec, url };
    const link = this.#deps.dialer.dial(spec, {
      onReconnectWanted: (wanted) => {
        if (link === this.#link) this.#reconnect.ask(wanted);
      },
      onPublishing: (streamId, takesHevcEnhanced = false, takesEnhanced = false) => {
        if (link !== this.#link) return;
        this.#takesEnhanced = takesEnhanced;
        this.#takesHevcEnhanced = takesHevcEnhanced;
        this.#accept(streamId);
      },
      onDrained: () => {
        if (link !== this.#link) return;
        this.#care?.look();
        this.#push?.pump();
      },
      onClosed: (error) => {
        if (link !== this.#link) return;
        this.#detach(undefined);
        this.#step({ kind: "failed", error: this.#judge(error) });
      },
    });
    this.#link = link;
  }

  #accept(streamId: number): void {
    const link = this.#link;
    if (link === undefined) return;
    const { clock, memory, onAccepted } = this.#deps;
    const shared = {
      link,
      choice: () => this.#choice(),
      onBegun: () => this.#counters.wentOnAir(clock.now()),
      onEnded: () => {
        if (push === this.#push) this.#failBy(SERVER_FAULT);
      },
    };
    const push: RtmpPush | TsPush =
      link.form === undefined
        ? new RtmpPush(streamId, {
            ...shared,
            ...{ clock, memory, reconnect: this.#reconnect },
            onLoss: () => this.#takeLoss(),
            onReconnectDue: () => this.redial("cut"),
          })
        : new TsPush({ ...shared, form: link.form });
    this.#push = push;
    this.#care = this.#careFor(link, push.queue);
    this.#step({ kind: "accepted" });
    onAccepted(push);
  }

  /**
   * It is too slow. If it takes nothing at all it may be unreachable: a reset would be lost, and it would keep its
   * publisher.
   */
  #takeLoss(): void {
    if (this.#spec.bufferPolicy !== "disconnect" || this.#care?.mayBeUnreachable === true) return;
    this.#detach("abort");
    this.#step({ kind: "failed", error: TOO_SLOW });
  }

  /**
   * Returns the error to report. A key refused right after we were on air is most likely held by our own last
   * connection.
   */
  #judge(error: TargetError): TargetError {
    // The address that the target named failed: the next attempt is at its own.
    if (this.#reconnect.isUnderWay) return { ...error, severity: "transient" };
    const offAirSinceMs = this.#lastOnAirMs;
    return judgeRefusal(error, offAirSinceMs === undefined ? undefined : this.#deps.clock.now() - offAirSinceMs);
  }

  #careFor(link: Link, sendQueue: SendQueue): LinkCare {
    return new LinkCare(link, sendQueue, this.#deps.clock, this.#areAcksTrusted, {
      onMoving: () => this.#step({ kind: "progressed" }),
      onStalled: (error) => this.#step({ kind: "stalled", error }),
      onWarning: (warning) => this.#step({ kind: "warned", warning }),
      onGivenUp: (how, error, by) => {
        if (by === "program") this.#areAcksTrusted = false;
        const isTooSlow = this.#spec.bufferPolicy === "disconnect" && how === "abort";
        const reason = isTooSlow ? TOO_SLOW : this.#state.at === "stalled" ? this.#state.lastError : error;
        this.#detach(how);
        this.#step({ kind: "failed", error: reason, isPathProven: true });
      },
    });
  }

  /** Leaves the link as asked, after everything that waits for it is written. */
  #leave(how: LinkClose): void {
    this.#letGo((link, push) => (push === undefined ? link.close(how) : push.end(how)));
  }

  /** Leaves the link without what waits for it; `how` undefined: it is closed already. */
  #detach(how: LinkClose | undefined): void {
    this.#letGo((link, push) => {
      push?.close();
      if (how !== undefined) link.close(how);
    });
  }

  /** Closes the link this way, and keeps its counts. */
  #letGo(close: (link: Link, push: RtmpPush | TsPush | undefined) => void): void {
    const link = this.#link;
    const push = this.#push;
    if (link === undefined) return;
    this.#link = undefined;
    this.#push = undefined;
    this.#care?.stop();
    this.#care = undefined;
    close(link, push);
    this.#counters.add(link, push?.queue.drops);
  }

  #countPlayTime(before: TargetState, after: TargetState): void {
    if (before.at === after.at) return;
    const nowMs = this.#deps.clock.now();
    if (before.at === "publishing") {
      const { status, lastError } = statusOf(after);
      this.#counters.leftAir(this.#care, status === "FAIL", nowMs);
      if (mayHoldKey(lastError)) this.#lastOnAirMs = nowMs;
    }
    if (after.at === "publishing" && this.hasBegun) this.#counters.wentOnAir(nowMs);
  }
}

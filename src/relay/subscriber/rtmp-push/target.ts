import type { Clock, Timer } from "../../../base/clock.ts";
import { unreachable } from "../../../base/unreachable.ts";
import type { TargetId, TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { DroppedFrames, TargetSample } from "../../../thread-protocol/samples.ts";
import { targetError } from "../../../thread-protocol/targets/target-errors.ts";
import type { ConnectStatus, TargetError, TargetStatus } from "../../../thread-protocol/targets/target-status.ts";
import type { FlushBatch } from "../../packing/flush-batch.ts";
import type { HeadMessage } from "../../stream/config/head-message.ts";
import type { Packet } from "../../stream/packet.ts";
import type { Supply } from "./health/idle-watch.ts";
import { LinkCare } from "./health/link-care.ts";
import { judgeRefusal } from "./lingering-key.ts";
import type { Dialer, Link, LinkClose } from "./link.ts";
import { ReconnectRequest } from "./reconnect-request.ts";
import { SendQueue } from "./send-queue.ts";
import { isReaddressed, leaveFor } from "./spec-change.ts";
import { TargetCounters } from "./target-counters.ts";
import { next, statusOf, type TargetEffect, type TargetInput, type TargetState } from "./target-state.ts";

/** One write holds at most this much. */
const WRITE_BYTES_MAX = 128 * 1024;
/** … and this much while the target is behind, so that progress shows however slowly it takes it. */
const WRITE_BYTES_MAX_BEHIND = 4 * 1024;

const UPLINK_STALLED = targetError("uplink-stalled");
const TOO_SLOW = targetError("too-slow");

export type TargetDeps = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly dialer: Dialer;
  /** Takes a turn among all retries; answers how many milliseconds from now it is. */
  readonly reserveRetryMs: () => number;
  /** The status, or a detail of it, changed. */
  readonly onStatus: (target: Target, from: ConnectStatus) => void;
  /** The target accepted publish and waits for a place to begin. */
  readonly onAccepted: (target: Target) => void;
};

/**
 * One target of one channel: dials while there is media for it, joins the stream at a place that can be decoded, keeps its own
 * bounded send queue, and counts. Nothing that happens here is felt by the channel or another target.
 */
export class Target {
  #spec: TargetSpec;
  readonly #deps: TargetDeps;
  #state: TargetState;
  #link: Link | undefined;
  #sendQueue: SendQueue | undefined;
  #hasBegun = false;
  /** It got everything there was at the last flush: what is gathered since comes to it at the next, in one piece. */
  #isInStep = false;
  /** The socket did not take everything at once, and the queue has not been empty since. */
  #isBehind = false;
  #retryTimer: Timer | undefined;
  #isWanted = false;
  /** Why this stream is not for this target. */
  #streamProblem: TargetError | undefined;
  #takesHevcEnhanced = false;
  /** Whether it said that it takes H.264 and AAC in Enhanced RTMP's form. */
  takesEnhanced = false;
  readonly #reconnect = new ReconnectRequest();

  #care: LinkCare | undefined;
  /** Whether it may be judged by its acknowledgements: not by those that were given up for their absence alone. */
  #areAcksTrusted = true;
  #lastOnAirMs: number | undefined;
  /** What the stream that it gets has a second. */
  streamPerSecond = 0;

  readonly #counters = new TargetCounters();

  constructor(spec: TargetSpec, deps: TargetDeps) {
    this.#spec = spec;
    this.#deps = deps;
    this.#state = { at: "ready", sinceTime: deps.clock.wallNow() };
  }

  get targetId(): TargetId {
    return this.#spec.targetId;
  }

  get spec(): TargetSpec {
    return this.#spec;
  }

  /** Whether it wants HEVC in Enhanced RTMP's form: its preset says that it takes HEVC, or it said so itself. */
  get takesHevcEnhanced(): boolean {
    return this.#takesHevcEnhanced || this.#spec.codecs?.video?.includes("hevc") === true;
  }

  get status(): TargetStatus {
    return statusOf(this.#state);
  }

  /** Whether the target accepted publish but has not been given anything yet. */
  get isWaitingToBegin(): boolean {
    return this.#sendQueue !== undefined && !this.#hasBegun;
  }

  /** Takes a new spec; where an address, key, login or trust changed the target is dialled at once. */
  setSpec(spec: TargetSpec): void {
    const before = this.#spec;
    this.#spec = spec;
    const how = leaveFor(before, spec);
    // Whoever sent us elsewhere is not to have the new key, or the new login.
    if (how === "end" || !spec.isEnabled) this.#reconnect.forget();
    if (how !== undefined && spec.isEnabled) this.redial(how);
    if (!spec.isEnabled) this.#step({ kind: "unwanted", how: "end" });
    else if (this.#isWanted) this.#step({ kind: "wanted" });
    // Another key, or another server: nothing of ours can linger there. Last, since leaving the old one remembers it.
    if (!isReaddressed(before, spec)) return;
    this.#lastOnAirMs = undefined;
    this.#areAcksTrusted = true;
  }

  /** Somebody wants the next attempt now. Counts as a retry; does nothing where nothing is wrong. */
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

  /** Why this target cannot be given the stream (a codec, a missing track), or, where there is no problem, that it can. */
  setStreamProblem(problem: TargetError | undefined): void {
    const before = this.#streamProblem;
    if (before?.message === problem?.message) return;
    this.#streamProblem = problem;
    if (problem !== undefined) this.#failBy(problem);
    else if (this.#state.at === "connecting" || this.#state.at === "waiting") this.redial("cut");
  }

  #failBy(error: TargetError): void {
    this.#detach("cut");
    // Where it has failed already the old reason need not hold any more.
    this.#step({ kind: this.#state.at === "waiting" ? "blamed" : "failed", error });
  }

  /** There is none any more, or the target was removed: what waits is still written, then the link is left as asked. */
  unwant(how: LinkClose): void {
    this.#isWanted = false;
    this.#reconnect.forget();
    this.#step({ kind: "unwanted", how });
  }

  /** Starts over at once, if it is on its way or on air. */
  redial(how: LinkClose): void {
    this.#step({ kind: "redial", how });
  }

  /** Whether a target has accepted us, now. */
  get hasLink(): boolean {
    return this.#sendQueue !== undefined;
  }

  get isStalled(): boolean {
    return this.#state.at === "stalled";
  }

  /** The stall is not this target's fault. */
  blameUplink(): void {
    this.#step({ kind: "blamed", error: UPLINK_STALLED });
  }

  /** Starts the connection's timeline at `baseMs` of channel time, behind the stream's head. */
  begin(baseMs: number, head: readonly HeadMessage[]): void {
    this.#sendQueue?.begin(baseMs, head);
    this.#hasBegun = true;
    this.#counters.wentOnAir(this.#deps.clock.now());
  }

  /** Queues a packet, if the target has begun. */
  offer(packet: Packet): void {
    if (!this.#hasBegun || this.#sendQueue === undefined) return;
    if (packet.isKeyframe && this.#reconnect.isDue(this.#deps.clock.now())) return this.redial("cut");
    const isWhole = this.#sendQueue.offer(packet);
    // Who takes nothing at all may not be reached: a reset would be lost with the path, and the target keep its publisher.
    if (isWhole || this.#spec.bufferPolicy !== "disconnect" || this.#care?.mayBeUnreachable === true) return;
    this.#detach("abort");
    this.#step({ kind: "failed", error: TOO_SLOW });
  }

  missed(cause: keyof DroppedFrames): void {
    this.#sendQueue?.missed(cause);
  }

  /** Whether packets come to it with the flush, and are not to be offered one by one. */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  /** Takes what was gathered since the last flush, if it was in step then, and writes what waits. */
  flush(batch: FlushBatch): void {
    if (this.#isInStep && batch.packets.length > 0) {
      if (this.#writeAsItLies(batch)) return;
      this.#isInStep = false;
      for (const packet of batch.packets) this.offer(packet);
    }
    this.pump();
    this.#isInStep = this.#hasBegun && this.#sendQueue?.isEmpty === true;
  }

  #writeAsItLies(batch: FlushBatch): boolean {
    const link = this.#link;
    const sendQueue = this.#sendQueue;
    if (link === undefined || sendQueue === undefined || link.pendingBytes > 0 || link.creditBytes <= 0) return false;
    if (batch.hasKeyframe && this.#reconnect.isAsked) return false;
    const slices = sendQueue.isFollowedBy(batch) ? batch.slices : undefined;
    if (slices === undefined) return false;
    for (const slice of slices) link.write(slice);
    sendQueue.passed(batch);
    this.#isBehind = link.pendingBytes > 0;
    if (link.isHolding) batch.keep();
    return true;
  }

  /** Writes what waits, as far as the socket takes it at once. */
  pump(): void {
    const link = this.#link;
    const sendQueue = this.#sendQueue;
    if (link === undefined || sendQueue === undefined) return;
    while (link.pendingBytes === 0 && link.creditBytes > 0) {
      const most = this.#isBehind ? WRITE_BYTES_MAX_BEHIND : WRITE_BYTES_MAX;
      const bytes = sendQueue.take(Math.min(most, link.creditBytes));
      if (bytes === undefined) {
        this.#isBehind = false;
        return;
      }
      link.write(bytes);
    }
    this.#isBehind = true;
  }

  /** Call once a second: counts the last second, notices a peer that takes nothing, less than there is, or is given nothing. `isSilent`: the encoder is. */
  tick(supply: Pick<Supply, "isSilent" | "lacksKeyframe">): void {
    this.#care?.tick(this.streamPerSecond, { ...supply, hasChosenTracks: this.#spec.tracks !== undefined });
    this.#counters.tick(this.#link, this.#care, this.#deps.clock.now());
  }

  sample(): TargetSample {
    const present = { link: this.#link, sendQueue: this.#sendQueue, care: this.#care };
    return this.#counters.sample(this.#spec.targetId, present, this.#deps.clock.now());
  }

  #step(input: TargetInput): void {
    const { clock, random, onStatus } = this.#deps;
    const before = this.#state;
    const step = next(before, input, { nowMs: clock.now(), wallMs: clock.wallNow(), random });
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
        this.#flushAll();
        return this.#detach(effect.how);
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

  /** Many links that failed together do not return together: a retry that is due waits for its turn, and says so. */
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
      // Nobody is asked in vain; not within this step, whose end is still to be told.
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
        this.takesEnhanced = takesEnhanced;
        this.#takesHevcEnhanced = takesHevcEnhanced;
        this.#accept(streamId);
      },
      onDrained: () => {
        if (link !== this.#link) return;
        this.#care?.look();
        this.pump();
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
    this.#sendQueue = new SendQueue(streamId);
    this.#hasBegun = false;
    this.#isInStep = false;
    this.#isBehind = false;
    this.#care = this.#careFor(link, this.#sendQueue);
    this.#step({ kind: "accepted" });
    this.#deps.onAccepted(this);
  }

  /** A refused key right after we were on air is most likely held by our own last connection. */
  #judge(error: TargetError): TargetError {
    // The address we were sent to: the next attempt is at the one we were given.
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
        const told = isTooSlow ? TOO_SLOW : this.#state.at === "stalled" ? this.#state.lastError : error;
        this.#detach(how);
        this.#step({ kind: "failed", error: told, isPathProven: true });
      },
    });
  }

  /** The broadcast is over: what still waits goes to the socket in one go, bounded by the send queue. */
  #flushAll(): void {
    for (let bytes = this.#sendQueue?.take(WRITE_BYTES_MAX); bytes !== undefined; ) {
      this.#link?.write(bytes);
      bytes = this.#sendQueue?.take(WRITE_BYTES_MAX);
    }
  }

  /** Lets go of the link, closing it if it is not closed already, and keeps its counts. */
  #detach(how: LinkClose | undefined): void {
    const link = this.#link;
    if (link === undefined) return;
    this.#link = undefined;
    this.#care?.stop();
    this.#care = undefined;
    if (how !== undefined) link.close(how);
    this.#counters.add(link, this.#sendQueue?.drops);
    this.#sendQueue = undefined;
    this.#hasBegun = false;
    this.#isInStep = false;
  }

  #countPlayTime(before: TargetState, after: TargetState): void {
    if (before.at === after.at) return;
    const nowMs = this.#deps.clock.now();
    if (before.at === "publishing") {
      this.#counters.leftAir(this.#care, statusOf(after).status === "FAIL", nowMs);
      this.#lastOnAirMs = nowMs;
    }
    if (after.at === "publishing" && this.#hasBegun) this.#counters.wentOnAir(nowMs);
  }
}

import type { ServerResponse } from "node:http";
import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Lasting } from "../../control/access/revocations.ts";
import type { ServerFact, ServerTrouble } from "../../control/facts/server-fact.ts";
import { healthKey } from "../../control/health/channel-health.ts";
import type { IngestChecks } from "../../control/ingest-check/ingest-checks.ts";
import { DomainError } from "../../control/ports/errors.ts";
import type { Service } from "../../control/service.ts";
import type { ChannelDetail } from "../../control/use-cases/details.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import { type AnswerContext, channelAnswer, delayAnswer, platformAnswer, stabilityOf } from "../answers/answers.ts";
import { ingestShape } from "../answers/ingest-answer.ts";
import { LiveReader } from "./live-reader.ts";
import { LiveRing, type RingLimits } from "./live-ring.ts";
import { type ChannelTexts, LiveSnapshots } from "./live-snapshots.ts";

/** Open streams at a time, all clients together. */
export const READERS_MAX = 200;

/** Changes of one channel within this time are sent as one, in milliseconds. */
const GATHER_MS = 100;
/** After a failed read of the database the next attempt follows after this long, in milliseconds. */
const READ_AGAIN_MS = 1_000;
/** How often a comment shows readers that the stream is alive, in milliseconds. The dashboard gives up after 12 s of silence. */
const HEARTBEAT_MS = 5_000;
/** After the last reader left, changes are kept for its return for this long, in milliseconds. */
const RETURN_MS = 60_000;

export type LiveStreamOptions = {
  readonly service: Service;
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  readonly clock: Clock;
  readonly log: Log;
  /** Distinguishes the ids of this process from those of an earlier one: letters and digits. */
  readonly epoch: string;
  readonly answerContext: (isViewer: boolean) => AnswerContext;
  /** What is wrong with this server itself. */
  readonly troubles: () => readonly ServerTrouble[];
  readonly ringLimits?: RingLimits;
};

export type ReaderRequest = {
  readonly isViewer: boolean;
  readonly accessKeyId: string;
  readonly channelId: ChannelId | undefined;
  readonly lastEventId: string | undefined;
};

/** What changed about a channel and must be sent. */
type Change = { isChannel: boolean; areAllTargets: boolean; readonly targets: Set<TargetId> };

/**
 * Sends every change to all readers, as whole objects: a change is read from the database and turned into text once,
 * however many readers there are. Facts, samples and use cases drive it; nothing is polled.
 */
export class LiveStream implements Lasting {
  readonly #options: LiveStreamOptions;
  readonly #ring: LiveRing;
  readonly #snapshots: LiveSnapshots;
  readonly #readers = new Set<LiveReader>();
  #changes = new Map<ChannelId, Change>();
  /** For each channel on air, the last state of its encoder. */
  readonly #shapes = new Map<ChannelId, string>();
  /** For each channel on air or with a source at work, the last verdict: any target or the source may change it. */
  readonly #verdicts = new Map<ChannelId, string>();
  #sendTimer: Timer | undefined;
  #isSending = false;
  #heartbeat: Timer | undefined;
  #forgetting: Timer | undefined;
  #wasTroubled = false;
  #isClosed = false;

  constructor(options: LiveStreamOptions) {
    this.#options = options;
    this.#ring = new LiveRing(options.ringLimits);
    this.#snapshots = new LiveSnapshots({
      listChannelIds: () => options.service.listChannelIds(),
      read: (channelId) => this.#read(channelId),
      lastSequence: () => this.#ring.last,
      onFailure: (error) => options.log.warn("a live snapshot could not be read", { detail: messageOf(error) }),
    });
  }

  get readerCount(): number {
    return this.#readers.size;
  }

  /** Open streams of one access key. */
  readerCountOf(accessKeyId: string): number {
    return [...this.#readers].filter((reader) => reader.accessKeyId === accessKeyId).length;
  }

  /** Notes what must be sent again. The live state has taken the fact before. */
  fact(fact: ServerFact): void {
    switch (fact.kind) {
      case "channel-changed":
        if (fact.change === "deleted") this.#verdicts.delete(fact.channelId);
        return this.changed(fact.channelId);
      case "source-changed":
        if (this.#isOtherVerdict(fact.channelId)) this.#change(fact.channelId).isChannel = true;
        return;
      case "server-trouble-changed":
        return this.#serverChanged();
      case "over-threshold":
      case "silence-changed":
      case "broadcast-lost":
      case "schedule-ran":
        // Its event is sent once it is stored.
        return;
      case "target-status":
        return this.#targetChanged(fact.channelId, fact.targetId);
      default:
        // A fact without a channel changes nothing that is sent here.
        if ("channelId" in fact) this.#change(fact.channelId).isChannel = true;
    }
  }

  #targetChanged(channelId: ChannelId, targetId: TargetId): void {
    const change = this.#change(channelId);
    change.targets.add(targetId);
    if (this.#isOtherVerdict(channelId)) change.isChannel = true;
  }

  /** Changes and events of other nodes were missed: every reader begins anew, with a snapshot. */
  missed(): void {
    this.#ring.skip();
    this.#pumpAll();
  }

  /** Sends the channel and its targets again. */
  changed(channelId: ChannelId): void {
    const change = this.#change(channelId);
    change.isChannel = true;
    change.areAllTargets = true;
  }

  /** Takes the samples of channels on air, once a second; the live state has them already. */
  samples(samples: readonly ChannelSample[]): void {
    for (const sample of samples) this.#noticeShape(sample);
    if (this.#readers.size === 0) return;
    const time = this.#options.clock.wallNow();
    for (const sample of samples) {
      const text = JSON.stringify(sampleAnswer(sample, time));
      for (const reader of this.#readers) reader.sample(sample.channelId, text);
    }
  }

  /** The same of channels on air at other nodes, of which there may be many: nothing is done without a reader. */
  samplesElsewhere(samples: readonly ChannelSample[]): void {
    if (this.#isHeard()) this.samples(samples);
  }

  /** A sample may show something of the encoder that no fact reports: its codecs, its frame size. */
  #noticeShape({ channelId, ingest }: ChannelSample): void {
    const { ingestChecks } = this.#options;
    const shape = ingestShape(ingest, ingestChecks.warnings(channelId), ingestChecks.state(channelId));
    const isOther = this.#isOtherVerdict(channelId) || this.#shapes.get(channelId) !== shape;
    if (isOther) this.#change(channelId).isChannel = true;
    if (ingest.state === "ENDED") this.#shapes.delete(channelId);
    else this.#shapes.set(channelId, shape);
  }

  #isOtherVerdict(channelId: ChannelId): boolean {
    const health = this.#options.service.liveHealth(channelId);
    const verdict = health.reason?.code === "WAITS_FOR_ENCODER" ? undefined : healthKey(health);
    if (this.#verdicts.get(channelId) === verdict) return false;
    if (verdict === undefined) this.#verdicts.delete(channelId);
    else this.#verdicts.set(channelId, verdict);
    return true;
  }

  /** An event was written. It holds no secret, so both roles see the same. */
  event(channelId: ChannelId, answer: object): void {
    if (!this.#isHeard()) return this.#ring.skip();
    const text = JSON.stringify(answer);
    this.#ring.add({ name: "event", channelId, managerText: text, viewerText: text });
    this.#pumpAll();
  }

  /** An encoder was refused: one of this channel, or one whose key belongs to none. */
  refused(channelId: ChannelId | undefined, answer: object): void {
    if (this.#readers.size === 0) return;
    const text = JSON.stringify(answer);
    for (const reader of this.#readers) reader.refused(channelId, text);
  }

  #serverChanged(): void {
    this.#wasTroubled = true;
    const text = this.#serverText();
    for (const reader of this.#readers) reader.server(text);
  }

  #serverText(): string {
    const troubles = this.#options.troubles().map(({ name, ...text }) => ({ trouble: name, ...text }));
    return JSON.stringify({ troubles });
  }

  /** Serves the stream on this response, whose head is written. */
  open(response: ServerResponse, request: ReaderRequest): void {
    const { clock, epoch } = this.#options;
    const { isViewer, accessKeyId, channelId, lastEventId } = request;
    // The client left while the request was checked: its place would never be freed.
    if (response.closed) return;
    const reader = new LiveReader({ response, ring: this.#ring, clock, epoch, isViewer, accessKeyId, channelId });
    response.on("close", () => this.#left(reader));
    this.#forgetting?.cancel();
    this.#forgetting = undefined;
    this.#readers.add(reader);
    this.#heartbeat ??= this.#startHeartbeat();
    const from = this.#resumable(lastEventId);
    // After a snapshot a reader assumes no trouble; a reader that continues may still show one that has ended.
    if (this.#wasTroubled || this.#options.troubles().length > 0) reader.server(this.#serverText());
    if (from !== undefined) return reader.readFrom(from);
    this.#snapshots.give(reader, channelId);
  }

  owners(): Iterable<string> {
    return new Set([...this.#readers].map((reader) => reader.accessKeyId));
  }

  endOf(accessKeyId: string): void {
    for (const reader of this.#readers) if (reader.accessKeyId === accessKeyId) reader.cut();
  }

  /** Ends all streams. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#sendTimer?.cancel();
    this.#forgetting?.cancel();
    for (const reader of this.#readers) reader.end();
  }

  /** Whether there is a reader, or one left so recently that it may come back. */
  #isHeard(): boolean {
    return this.#readers.size > 0 || this.#forgetting !== undefined;
  }

  #left(reader: LiveReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size > 0 || this.#isClosed) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
    this.#forgetting = this.#options.clock.startTimer(RETURN_MS, () => {
      this.#forgetting = undefined;
      this.#ring.skip();
    });
  }

  #startHeartbeat(): Timer {
    return this.#options.clock.startTimer(HEARTBEAT_MS, () => {
      this.#heartbeat = this.#startHeartbeat();
      for (const reader of this.#readers) reader.beat();
    });
  }

  #resumable(lastEventId: string | undefined): number | undefined {
    const [, epoch, digits] = /^([A-Za-z0-9]+)-(\d{1,15})$/.exec(lastEventId ?? "") ?? [];
    const sequence = Number(digits);
    return epoch === this.#options.epoch && this.#ring.hasAllAfter(sequence) ? sequence : undefined;
  }

  #change(channelId: ChannelId): Change {
    const known = this.#changes.get(channelId);
    if (known !== undefined) return known;
    const change: Change = { isChannel: false, areAllTargets: false, targets: new Set() };
    // Without a reader only the sequence advances: a reader that returns must learn that it missed something.
    if (!this.#isHeard()) {
      this.#ring.skip();
      return change;
    }
    this.#changes.set(channelId, change);
    this.#gather(GATHER_MS);
    return change;
  }

  #gather(delayMs: number): void {
    if (this.#sendTimer !== undefined || this.#isSending || this.#isClosed) return;
    this.#sendTimer = this.#options.clock.startTimer(delayMs, () => {
      this.#sendTimer = undefined;
      void this.#sendChanges();
    });
  }

  async #sendChanges(): Promise<void> {
    this.#isSending = true;
    const changes = this.#changes;
    this.#changes = new Map();
    let delayMs = GATHER_MS;
    for (const [channelId, change] of changes) {
      try {
        await this.#sendChange(channelId, change);
      } catch (error) {
        this.#options.log.warn("a change could not be sent", { channelId, detail: messageOf(error) });
        this.#changes.set(channelId, merged(change, this.#changes.get(channelId)));
        delayMs = READ_AGAIN_MS;
      }
    }
    this.#isSending = false;
    this.#pumpAll();
    if (this.#changes.size > 0) this.#gather(delayMs);
  }

  async #sendChange(channelId: ChannelId, change: Change): Promise<void> {
    const channel = await this.#readChannel(channelId);
    if (channel === undefined) {
      this.#shapes.delete(channelId);
      this.#verdicts.delete(channelId);
      this.#add("channel", channelId, () => ({ channelId, channelStatus: "DELETED" }));
      return;
    }
    // Another node tells no last sample of a channel that goes off air.
    if (!channel.isPublishing) this.#shapes.delete(channelId);
    if (change.isChannel) this.#add("channel", channelId, (context) => liveChannelAnswer(channel, context));
    for (const target of channel.targets) {
      if (!change.areAllTargets && !change.targets.has(target.targetId)) continue;
      this.#add("platform", channelId, (context) => ({ channelId, ...platformAnswer(target, context) }));
    }
  }

  #add(name: "channel" | "platform", channelId: ChannelId, answer: (context: AnswerContext) => object): void {
    const { answerContext } = this.#options;
    const managerText = JSON.stringify(answer(answerContext(false)));
    const viewerText = JSON.stringify(answer(answerContext(true)));
    this.#ring.add({ name, channelId, managerText, viewerText });
  }

  #pumpAll(): void {
    for (const reader of this.#readers) reader.pump();
  }

  /** A channel with its platforms, for both roles; undefined where it was deleted meanwhile. */
  async #read(channelId: ChannelId): Promise<ChannelTexts | undefined> {
    const { answerContext } = this.#options;
    const channel = await this.#readChannel(channelId);
    if (channel === undefined) return undefined;
    const text = (isViewer: boolean) => JSON.stringify(liveChannelAnswer(channel, answerContext(isViewer)));
    return { manager: text(false), viewer: text(true) };
  }

  /** Undefined where it was deleted. */
  async #readChannel(channelId: ChannelId): Promise<ChannelDetail | undefined> {
    try {
      return await this.#options.service.getChannel(channelId);
    } catch (error) {
      if (error instanceof DomainError) return undefined;
      throw error;
    }
  }
}

function liveChannelAnswer(channel: ChannelDetail, context: AnswerContext): object {
  return {
    ...channelAnswer(channel, context),
    platforms: channel.targets.map((target) => platformAnswer(target, context)),
  };
}

function merged(change: Change, newer: Change | undefined): Change {
  if (newer === undefined) return change;
  return {
    isChannel: change.isChannel || newer.isChannel,
    areAllTargets: change.areAllTargets || newer.areAllTargets,
    targets: new Set([...change.targets, ...newer.targets]),
  };
}

function sampleAnswer(sample: ChannelSample, time: number): object {
  return {
    channelId: sample.channelId,
    time,
    ingest: { bytesPerSecond: Math.round(sample.ingest.bytesPerSecond) },
    platforms: sample.targets.map((target) => ({
      platId: target.targetId,
      bytesPerSecond: Math.round(target.bytesPerSecond),
      queueMilliseconds: Math.round(target.queueMs),
      droppedFrames: target.droppedFrames,
      ...(target.droppedFrames > 0 ? { droppedFramesByCause: target.drops } : {}),
      stability: stabilityOf(target),
      ...delayAnswer(target.delay),
    })),
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

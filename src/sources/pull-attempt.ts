import type { Writable } from "node:stream";
import type { Clock, Timer } from "../base/clock.ts";
import type { PullVariant, SourceReason } from "../control/channels/source.ts";
import { ChannelElsewhereError, DomainError } from "../control/ports/errors.ts";
import type { SourceStart } from "../control/ports/source-player.ts";
import { AacMisfit } from "../protocol/flv/audio/aac-misfit.ts";
import { MessageType } from "../protocol/rtmp/message.ts";
import type { PublishGateway } from "../relay/publish-gateway.ts";
import type { PublisherHandle } from "../relay/publisher/publisher.ts";
import type { MediaKind } from "../relay/stream/media-message.ts";
import { FREEZE_TIMES } from "../thread-protocol/freeze-times.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import type { Clip } from "./clip.ts";
import { pullArguments } from "./pull-arguments.ts";
import { endOf, needsEncoding } from "./pull-end.ts";
import { failureOf, PullFailure, pullError } from "./pull-links/pull-errors.ts";
import type { PullLink, PullPlace } from "./pull-links/pull-link.ts";
import { SteadyTime } from "./steady-time.ts";
import { StuckTime } from "./stuck-time.ts";

/** A run of FFmpeg that reads what is written to its standard input. */
export type FfmpegRun = {
  readonly clip: Pick<
    Clip,
    "next" | "take" | "kill" | "isRead" | "isOver" | "failure" | "words" | "waiting" | "waitingMs" | "gone"
  >;
  readonly input: Writable;
};

export type PullAttemptDeps = {
  readonly clock: Clock;
  /** Rejects with PullFailure, or the signal's reason. */
  readonly openLink: (url: string, signal: AbortSignal, from: PullPlace | undefined) => Promise<PullLink>;
  /** Undefined where FFmpeg is missing. */
  readonly startFfmpeg: (args: readonly string[], env: PullLink["env"]) => FfmpegRun | undefined;
  /** Claims the channel for a publisher. Rejects as `read` does. */
  readonly publish: (channelId: string, read: SourceStart["read"]) => Promise<PublishGateway>;
};

/** How an attempt ended. `audio`: another one, which encodes the audio, may follow at once. */
export type PullEnd =
  | { readonly kind: "failed"; readonly error: TargetError }
  | { readonly kind: "audio" }
  | { readonly kind: "stopped"; readonly reason: SourceReason };

/** What is fetched. `from`: where the source was left before. */
type PullHow = { readonly url: string; readonly encodesAudio: boolean; readonly from: PullPlace | undefined };

type PullEvents = { readonly onPublishing: (variant?: PullVariant) => void; readonly onOver: (end: PullEnd) => void };

/** Media are sent this often, in milliseconds. */
const STEP_MS = 40;
/** Tags sent in one step: after a pause of the process it catches up in parts. */
const TAGS_IN_A_STEP_MAX = 500;
/** A source from which nothing comes for this long is given up, in milliseconds. */
const NO_MEDIA_MS = 15_000;
/** No channel counts a source as frozen before it was silent for so long, in milliseconds. */
const FROZEN_MS = FREEZE_TIMES.mediaSeconds * 1_000;
/** FFmpeg has written all that it read when nothing came from it for so long, in milliseconds. */
const DRAINED_MS = 1_000;
const UNREAD = `it read nothing for ${NO_MEDIA_MS / 1_000} s`;
/** This much of a stream shows all its codecs, in milliseconds; and in tags, where its times stand still. */
const LOOKED_AT_MS = 200;
const LOOKED_AT_TAGS = 250;
/** What is too far ahead of its time is sent this much faster: nobody notices, and no clock is trusted for days. */
const CATCH_UP = 0.01;
/** Facts of the media threads have arrived by then, in milliseconds. */
const VERDICT_MS = 1_000;
const PULLER_NAME = "Fanfare pull";

const KINDS: Readonly<Record<number, MediaKind>> = {
  [MessageType.Audio]: "audio",
  [MessageType.Video]: "video",
  [MessageType.DataAmf0]: "data",
};

/** One attempt at a source: from its look-up until it ends, or is left. */
export class PullAttempt {
  readonly #deps: PullAttemptDeps;
  readonly #start: Pick<SourceStart, "channelId" | "read">;
  readonly #events: PullEvents;
  readonly #from: PullPlace | undefined;
  readonly #abort = new AbortController();
  #link: PullLink | undefined;
  #run: FfmpegRun | undefined;
  #gateway: PublishGateway | undefined;
  #publisher: PublisherHandle | undefined;
  #timer: Timer | undefined;
  #isClaiming = false;
  /** FFmpeg read the source to its end, and was not ended. */
  #isAtEnd = false;
  #isOver = false;
  #startMs = 0;
  /** When FFmpeg last wrote, on the clock's `awakeNow()`. */
  #arrivedMs = 0;
  /** The source's times; undefined before the first. */
  #time: SteadyTime | undefined;
  readonly #stuck = new StuckTime();
  /** Absent: the audio is encoded, and stays as it is. */
  readonly #misfit: AacMisfit | undefined;
  /** How much the clock of this stream is ahead of the real one. */
  #aheadMs = 0;

  constructor(
    start: Pick<SourceStart, "channelId" | "read">,
    { url, encodesAudio, from }: PullHow,
    deps: PullAttemptDeps,
    events: PullEvents,
  ) {
    this.#deps = deps;
    this.#start = start;
    this.#events = events;
    this.#from = from;
    this.#misfit = encodesAudio ? undefined : new AacMisfit();
    void this.#begin(url, encodesAudio);
  }

  /** Where the next attempt begins; undefined: at the source's beginning, or live. */
  get place(): PullPlace | undefined {
    return this.#link?.place?.() ?? (this.#isAtEnd ? undefined : this.#from);
  }

  /** Ends it. Resolves when FFmpeg is gone. Nothing is reported. Idempotent. */
  async leave(how: "clean" | "connection-lost"): Promise<void> {
    this.#isOver = true;
    this.#abort.abort();
    this.#timer?.cancel();
    this.#publisher?.end(how);
    this.#link?.close();
    this.#run?.clip.kill();
    await this.#run?.clip.gone;
  }

  async #begin(url: string, encodesAudio: boolean): Promise<void> {
    try {
      // An encoder that is on air, and a channel that is off, need no connection to the source.
      await this.#start.read();
      if (this.#isOver) return;
      const link = await this.#deps.openLink(url, this.#abort.signal, this.#from);
      if (this.#isOver) return link.close();
      this.#link = link;
      const run = this.#deps.startFfmpeg(pullArguments(link.input, encodesAudio), link.env);
      if (run === undefined) return this.#fail(pullError("ffmpeg-missing"));
      this.#run = run;
      link.feed(run.input);
      this.#arrivedMs = this.#deps.clock.awakeNow();
      this.#schedule();
    } catch (error) {
      this.#end(endFor(error));
    }
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.startTimer(STEP_MS, () => this.#step());
  }

  #step(): void {
    const run = this.#run;
    if (this.#isOver || run === undefined) return;
    this.#schedule();
    const { clock } = this.#deps;
    if (run.clip.next !== undefined) this.#arrivedMs = clock.awakeNow();
    if (run.clip.isOver) return this.#ended(run);
    const silentMs = clock.awakeNow() - this.#arrivedMs;
    const isOver = this.#link?.isOver?.() === true && silentMs >= DRAINED_MS;
    if (isOver || silentMs >= NO_MEDIA_MS) return this.#fail(this.#whySilent());
    if (this.#publisher !== undefined && this.#gateway !== undefined) this.#play(run, this.#publisher, this.#gateway);
    else this.#look(run);
  }

  /** Why no media came: what the link saw, FFmpeg that reads nothing, or a source that sends nothing. */
  #whySilent(): TargetError {
    const isUnread = this.#link?.isUnread() === true;
    return this.#link?.failure() ?? (isUnread ? pullError("ffmpeg-ended", UNREAD) : pullError("silent"));
  }

  /** Claims the channel once the source's codecs are known. */
  #look({ clip }: FfmpegRun): void {
    const isLookedAt = clip.waitingMs >= LOOKED_AT_MS || clip.waiting.length >= LOOKED_AT_TAGS || clip.isRead;
    if (this.#isClaiming || !isLookedAt) return;
    if (clip.waiting.some(needsEncoding)) return this.#end({ kind: "audio" });
    this.#isClaiming = true;
    void this.#claim().catch((error: unknown) => this.#end(endFor(error)));
  }

  async #claim(): Promise<void> {
    const { channelId, read } = this.#start;
    const gateway = await this.#deps.publish(channelId, read);
    if (this.#isOver) return gateway.leave();
    const verdict = await gateway.tryAdmit();
    if (this.#isOver || verdict !== "admitted") {
      gateway.leave();
      return this.#fail(pullError("not-taken", verdict));
    }
    this.#publisher = gateway.open({
      slot: "main",
      remoteAddress: this.#link?.address ?? "",
      encoder: PULLER_NAME,
      sourceKind: "pull",
      onDismissed: () => this.#dismissed(),
      onRoom: () => undefined,
    });
    if (this.#publisher === undefined) return this.#end({ kind: "stopped", reason: "internal" });
    this.#gateway = gateway;
    this.#startMs = this.#deps.clock.now();
    this.#events.onPublishing(this.#link?.variant?.());
  }

  /**
   * The channel dropped it: for an encoder, because its media thread died, or because nothing came for longer than the channel is
   * held. The control thread knows in a moment which it was.
   */
  #dismissed(): void {
    if (this.#isOver) return;
    const isSilent = this.#deps.clock.awakeNow() - this.#arrivedMs >= FROZEN_MS;
    const error = isSilent ? this.#whySilent() : pullError("not-taken", "the media thread ended");
    void this.leave("connection-lost");
    this.#timer = this.#deps.clock.startTimer(VERDICT_MS, () => {
      this.#start.read().then(
        () => this.#events.onOver({ kind: "failed", error }),
        (refusal: unknown) => this.#events.onOver(dismissalFor(refusal)),
      );
    });
  }

  #play({ clip }: FfmpegRun, publisher: PublisherHandle, gateway: PublishGateway): void {
    if (gateway.isFull) return;
    if (clip.waitingMs > (this.#link?.aheadMs ?? 0)) this.#aheadMs += STEP_MS * CATCH_UP;
    const nowMs = this.#deps.clock.now() - this.#startMs + this.#aheadMs;
    for (let count = 0; count < TAGS_IN_A_STEP_MAX; count += 1) {
      const tag = clip.next;
      if (tag === undefined) break;
      this.#time ??= new SteadyTime(tag, nowMs);
      const timeMs = this.#time.of(tag);
      if (timeMs > nowMs) break;
      // Audio may begin long after the video.
      const isMisfit = tag.type === MessageType.Audio && this.#misfit?.isAfter(tag) === true;
      if (isMisfit || needsEncoding(tag)) return this.#end({ kind: "audio" });
      clip.take();
      this.#time.sent(tag, timeMs);
      if (this.#stuck.isAfter(tag)) return this.#fail(pullError("times-back"));
      const kind = KINDS[tag.type];
      const timestamp = Math.round(Math.max(0, timeMs)) % 2 ** 32;
      if (kind !== undefined) publisher.push({ kind, timestamp, payload: tag.payload });
      // The relay may have dropped the publisher while it took the message.
      if (this.#isOver) return;
    }
    gateway.flush();
  }

  #ended({ clip }: FfmpegRun): void {
    this.#isAtEnd = clip.failure === undefined;
    const error = endOf(clip);
    if (error === "audio") return this.#end({ kind: "audio" });
    // What the link saw explains what FFmpeg complains about, but not why FFmpeg itself was ended.
    this.#fail(error.code === "SERVER_TROUBLE" ? error : (this.#link?.failure() ?? error));
  }

  #fail(error: TargetError): void {
    this.#end({ kind: "failed", error });
  }

  #end(end: PullEnd): void {
    if (this.#isOver) return;
    void this.leave("connection-lost");
    this.#events.onOver(end);
  }
}

const STOPS: Readonly<Record<string, SourceReason>> = {
  "channel-off": "channel-off",
  "source-encoder-on-air": "encoder-on-air",
  "channel-not-found": "internal",
};

function dismissalFor(error: unknown): PullEnd {
  const end = endFor(error);
  const isReplaced = end.kind === "stopped" && end.reason === "encoder-on-air";
  return isReplaced ? { kind: "stopped", reason: "replaced" } : end;
}

function endFor(error: unknown): PullEnd {
  if (error instanceof PullFailure) return { kind: "failed", error: error.error };
  if (error instanceof ChannelElsewhereError) return { kind: "stopped", reason: "elsewhere" };
  if (!(error instanceof DomainError)) return { kind: "failed", error: failureOf(error).error };
  const reason = STOPS[error.fault.kind];
  if (reason !== undefined) return { kind: "stopped", reason };
  return { kind: "failed", error: pullError("not-taken", error.fault.kind) };
}

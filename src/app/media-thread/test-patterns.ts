import type { Clock, Timer } from "../../base/clock.ts";
import type { FlvTag } from "../../protocol/flv/flv-tag.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Engine } from "../../relay/engine.ts";
import type { PublisherHandle } from "../../relay/publisher/publisher.ts";
import type { MediaKind } from "../../relay/stream/media-message.ts";
import { syntheticClip } from "../../testkit/encoder/clip.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import {
  TEST_PATTERN_NAME,
  type TestPatternRequest,
  type TestPatternResult,
} from "../../thread-protocol/test-pattern.ts";

export type TestPatternsDeps = {
  readonly clock: Clock;
  readonly engine: Pick<Engine, "introduce" | "isOnAir" | "open">;
  /** Whether channels that are off air may begin now. */
  readonly takesNew: () => boolean;
};

/** In kilobits, like an encoder with a modest stream: platforms end a stream with much less. */
const KILOBITS = 1_000;
/** Media are made this often, in milliseconds: one frame of video each time. */
const STEP_MS = 40;
/** Messages in one step: after a pause of the process the clip catches up in parts. */
const MESSAGES_IN_A_STEP_MAX = 64;
/** The pattern comes from this machine itself. */
const ADDRESS = "127.0.0.1";

const KINDS: Readonly<Record<number, MediaKind>> = {
  [MessageType.Audio]: "audio",
  [MessageType.Video]: "video",
  [MessageType.DataAmf0]: "data",
};

/**
 * The test patterns of one media thread: pushes the built-in clip into the relay as an encoder's connection would.
 * Nothing is encoded, and no socket is used.
 */
export class TestPatterns {
  readonly #deps: TestPatternsDeps;
  readonly #running = new Map<ChannelId, TestPattern>();

  constructor(deps: TestPatternsDeps) {
    this.#deps = deps;
  }

  /** Begins a broadcast with the clip, unless the channel is on air or held. */
  start({ spec, endTime, forMs, targetIds }: TestPatternRequest): TestPatternResult {
    const { clock, engine, takesNew } = this.#deps;
    const { channelId } = spec;
    engine.introduce(spec);
    if (engine.isOnAir(channelId)) return "on-air";
    if (!takesNew()) return "overloaded";
    const publisher = engine.open(channelId, {
      slot: "main",
      remoteAddress: ADDRESS,
      encoder: TEST_PATTERN_NAME,
      testPatternEndTime: endTime,
      ...(targetIds === undefined ? {} : { onlyTargetIds: targetIds }),
      // An encoder took over, or the broadcast was ended.
      onDismissed: () => this.#forget(channelId),
    });
    if (publisher === undefined) return "overloaded";
    this.#running.set(channelId, new TestPattern(clock, publisher, forMs, () => this.stop(channelId)));
    return "started";
  }

  /** Ends the channel's pattern like an encoder that stops streaming. Does nothing where none runs. */
  stop(channelId: ChannelId): void {
    const pattern = this.#running.get(channelId);
    this.#forget(channelId);
    pattern?.end();
  }

  #forget(channelId: ChannelId): void {
    this.#running.get(channelId)?.cancel();
    this.#running.delete(channelId);
  }
}

/** One running clip, in real time. */
class TestPattern {
  readonly #clock: Clock;
  readonly #publisher: PublisherHandle;
  readonly #tags: Iterator<FlvTag>;
  readonly #startMs: number;
  readonly #endMs: number;
  readonly #onOver: () => void;
  #next: FlvTag | undefined;
  #timer: Timer | undefined;

  constructor(clock: Clock, publisher: PublisherHandle, forMs: number, onOver: () => void) {
    this.#clock = clock;
    this.#publisher = publisher;
    this.#onOver = onOver;
    this.#startMs = clock.now();
    this.#endMs = this.#startMs + forMs;
    const audio = { sampleRate: 48_000, channels: 2, isTone: true } as const;
    const clip = syntheticClip({ video: "360p", audio, kilobits: KILOBITS, encoder: TEST_PATTERN_NAME });
    this.#tags = clip.tags()[Symbol.iterator]();
    this.#take();
    this.#step();
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  end(): void {
    this.#publisher.end("test-pattern-over");
  }

  #step(): void {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#endMs) return this.#onOver();
    // Before the messages: the relay may drop the publisher while it takes one.
    this.#timer = this.#clock.startTimer(STEP_MS, () => this.#step());
    for (let count = 0; count < MESSAGES_IN_A_STEP_MAX; count += 1) {
      const tag = this.#next;
      if (tag === undefined || this.#startMs + tag.timestamp > nowMs) return;
      const kind = KINDS[tag.type];
      if (kind !== undefined) this.#publisher.push({ kind, timestamp: tag.timestamp, payload: tag.payload });
      this.#take();
    }
  }

  #take(): void {
    const { value, done } = this.#tags.next();
    this.#next = done === true ? undefined : value;
  }
}

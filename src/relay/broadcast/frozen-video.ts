import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { type Publisher, VIDEO_MISSED_MS } from "../publisher/publisher.ts";
import type { FanOut } from "../rendition/fan-out.ts";
import type { FillerRun } from "../rendition/filler-run.ts";
import type { ClassifiedMessage } from "../stream/classify-message.ts";
import type { PublisherFact } from "./broadcast-state.ts";

export type FrozenVideoDeps = {
  readonly out: Pick<FanOut, "newFillerRun" | "fillVideo" | "resumeVideo">;
  readonly onFact: (publisher: Publisher, fact: PublisherFact) => void;
};

/**
 * Notices that the video of the publisher on air has stopped while its audio goes on: a camera that hung, a capture
 * without a source. First it reports that. After the channel's time it sends the last frame as filler with the audio.
 * Slow video is not frozen: a publisher that sends a frame each half minute has a minute.
 */
export class FrozenVideo {
  readonly #deps: FrozenVideoDeps;
  #reported: { readonly publisher: Publisher; readonly sinceMs: number } | undefined;
  #fillerRun: FillerRun | undefined;

  constructor(deps: FrozenVideoDeps) {
    this.#deps = deps;
  }

  /** Call now and then while this publisher is on air. Returns whether filler replaces its video. */
  look(publisher: Publisher, awakeMs: number, { videoSeconds }: FreezeTimes): boolean {
    const silentMs = publisher.withoutVideoMs(awakeMs, VIDEO_MISSED_MS);
    if (silentMs !== undefined && this.#reported === undefined) {
      this.#reported = { publisher, sinceMs: awakeMs - silentMs };
      this.#deps.onFact(publisher, { kind: "video-stopped", silentMs: Math.round(silentMs) });
    }
    const isLong = videoSeconds > 0 && publisher.withoutVideoMs(awakeMs, videoSeconds * 1_000) !== undefined;
    if (isLong) this.#fillerRun ??= this.#deps.out.newFillerRun("video");
    if (this.#fillerRun !== undefined) this.#deps.out.fillVideo(this.#fillerRun);
    return this.#fillerRun !== undefined;
  }

  /** Takes each message before it is forwarded. After filler, video goes on only at a keyframe. */
  take(classified: ClassifiedMessage, awakeMs: number): void {
    if (this.#reported === undefined || classified.what !== "frame" || classified.kind !== "video") return;
    // Only the default track counts: a further track is not missed, and does not show that the default one is back.
    if (classified.trackId !== 0 || (this.#fillerRun !== undefined && !classified.isKeyframe)) return;
    const { publisher, sinceMs } = this.#reported;
    if (this.#fillerRun !== undefined) this.#deps.out.resumeVideo();
    this.forget();
    this.#deps.onFact(publisher, { kind: "video-back", awayMs: Math.round(awakeMs - sinceMs) });
  }

  /** Another publisher is on air, or none. */
  forget(): void {
    this.#reported = undefined;
    this.#fillerRun = undefined;
  }
}

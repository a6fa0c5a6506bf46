import type { FreezeTimes } from "../thread-protocol/freeze-times.ts";
import type { PublisherFact } from "./broadcast-state.ts";
import { type Publisher, VIDEO_MISSED_MS } from "./publisher/publisher.ts";
import type { FanOut } from "./rendition/fan-out.ts";
import type { FillerRun } from "./rendition/filler-run.ts";
import type { ClassifiedMessage } from "./stream/classify-message.ts";

export type FrozenPicturesDeps = {
  readonly out: Pick<FanOut, "newFillerRun" | "fillVideo" | "resumeVideo">;
  readonly tell: (publisher: Publisher, fact: PublisherFact) => void;
};

/**
 * Pictures of the encoder on air that stop while its sound goes on: a camera that hung, a capture that shows nothing. Told first; when the
 * channel's time is up the last picture is shown, as in any hold, beside the sound as it comes. Slow pictures are no
 * frozen ones: whoever sends one in half a minute is given a minute.
 */
export class FrozenPictures {
  readonly #deps: FrozenPicturesDeps;
  #told: { readonly publisher: Publisher; readonly sinceMs: number } | undefined;
  #fillerRun: FillerRun | undefined;

  constructor(deps: FrozenPicturesDeps) {
    this.#deps = deps;
  }

  /** Call now and then while this encoder is on air. Answers whether filler stands for its pictures. */
  look(publisher: Publisher, awakeMs: number, { videoSeconds }: FreezeTimes): boolean {
    const silentMs = publisher.withoutVideoMs(awakeMs, VIDEO_MISSED_MS);
    if (silentMs !== undefined && this.#told === undefined) {
      this.#told = { publisher, sinceMs: awakeMs - silentMs };
      this.#deps.tell(publisher, { kind: "pictures-stopped", silentMs: Math.round(silentMs) });
    }
    const isLong = videoSeconds > 0 && publisher.withoutVideoMs(awakeMs, videoSeconds * 1_000) !== undefined;
    if (isLong) this.#fillerRun ??= this.#deps.out.newFillerRun("video");
    if (this.#fillerRun !== undefined) this.#deps.out.fillVideo(this.#fillerRun);
    return this.#fillerRun !== undefined;
  }

  /** Takes what comes, before it goes on: behind filler, pictures do at a keyframe only. */
  take(classified: ClassifiedMessage, awakeMs: number): void {
    if (this.#told === undefined || classified.what !== "frame" || classified.kind !== "video") return;
    // Of further tracks none is missed, and none says that the default one's are back.
    if (classified.trackId !== 0 || (this.#fillerRun !== undefined && !classified.isKeyframe)) return;
    const { publisher, sinceMs } = this.#told;
    if (this.#fillerRun !== undefined) this.#deps.out.resumeVideo();
    this.forget();
    this.#deps.tell(publisher, { kind: "pictures-back", awayMs: Math.round(awakeMs - sinceMs) });
  }

  /** Another encoder is on air, or none. */
  forget(): void {
    this.#told = undefined;
    this.#fillerRun = undefined;
  }
}

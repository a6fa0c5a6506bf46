import type { FreezeTimes } from "../exchange/freeze-times.ts";
import type { FeedFact } from "./air.ts";
import type { FanOut } from "./fan-out.ts";
import { type Feed, PICTURES_MISSED_MS } from "./feed.ts";
import type { Gap } from "./gap.ts";
import type { Intake } from "./intake.ts";

export type FrozenPicturesDeps = {
  readonly out: Pick<FanOut, "newGap" | "fillPictures" | "resumePictures">;
  readonly tell: (feed: Feed, fact: FeedFact) => void;
};

/**
 * Pictures of the encoder on air that stop while its sound goes on: a camera that hung, a capture that shows nothing. Told first; when the
 * channel's time is up the last picture is shown, as in any hold, beside the sound as it comes. Slow pictures are no
 * frozen ones: whoever sends one in half a minute is given a minute.
 */
export class FrozenPictures {
  readonly #deps: FrozenPicturesDeps;
  #told: { readonly feed: Feed; readonly sinceMs: number } | undefined;
  #gap: Gap | undefined;

  constructor(deps: FrozenPicturesDeps) {
    this.#deps = deps;
  }

  /** Call now and then while this encoder is on air. Answers whether filler stands for its pictures. */
  look(feed: Feed, awakeMs: number, { videoSeconds }: FreezeTimes): boolean {
    const silentMs = feed.pictureless(awakeMs, PICTURES_MISSED_MS);
    if (silentMs !== undefined && this.#told === undefined) {
      this.#told = { feed, sinceMs: awakeMs - silentMs };
      this.#deps.tell(feed, { kind: "pictures-stopped", silentMs: Math.round(silentMs) });
    }
    const isLong = videoSeconds > 0 && feed.pictureless(awakeMs, videoSeconds * 1_000) !== undefined;
    if (isLong) this.#gap ??= this.#deps.out.newGap("pictures");
    if (this.#gap !== undefined) this.#deps.out.fillPictures(this.#gap);
    return this.#gap !== undefined;
  }

  /** Takes what comes, before it goes on: behind filler, pictures do at a keyframe only. */
  take(intake: Intake, awakeMs: number): void {
    if (this.#told === undefined || intake.what !== "frame" || intake.kind !== "video") return;
    // Of further tracks none is missed, and none says that the default one's are back.
    if (intake.trackId !== 0 || (this.#gap !== undefined && !intake.isKeyframe)) return;
    const { feed, sinceMs } = this.#told;
    if (this.#gap !== undefined) this.#deps.out.resumePictures();
    this.forget();
    this.#deps.tell(feed, { kind: "pictures-back", awayMs: Math.round(awakeMs - sinceMs) });
  }

  /** Another encoder is on air, or none. */
  forget(): void {
    this.#told = undefined;
    this.#gap = undefined;
  }
}

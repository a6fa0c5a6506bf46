import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { Publisher } from "../publisher/publisher.ts";
import type { FanOut } from "../rendition/fan-out.ts";
import type { FillerRun } from "../rendition/filler-run.ts";
import type { ClassifiedMessage } from "../stream/classify-message.ts";

type Out = Pick<FanOut, "head" | "newFillerRun" | "fillAudio" | "resumeAudio">;

/**
 * Notices that the audio of the publisher on air has stopped while its video goes on: an unplugged interface, a mixer
 * that hung. Sends silence in the audio's own form until it comes back, where a platform of the channel needs audio. A
 * header of another form may come long before its first frame: silence takes the new form with the header.
 */
export class StoppedAudio {
  readonly #out: Out;
  #silence: FillerRun | undefined;
  /** A header came: the silence has the form of the header before it. */
  #isOutdated = false;

  constructor(out: Out) {
    this.#out = out;
  }

  /** Whether silence replaces the audio for receivers of these tracks. There is none for codecs other than AAC. */
  isFilledFor(tracks: TrackChoice | undefined): boolean {
    return this.#silence?.hasSilenceFor(tracks) === true;
  }

  /** Call now and then while this publisher is on air. `isWanted`: a target takes silence. */
  look(publisher: Publisher, awakeMs: number, isWanted: boolean): void {
    if (isWanted && publisher.isAudioMissed(awakeMs)) this.#silence ??= this.#out.newFillerRun("audio");
  }

  /** Takes each message before it is forwarded: silence goes before video, and audio goes on behind the last silence. */
  take(classified: ClassifiedMessage, timestamp: number): void {
    if (this.#silence === undefined) return;
    if (classified.what === "config" && classified.kind === "audio")
      this.#isOutdated ||= this.#out.head.isNews(classified);
    if (classified.what !== "frame") return;
    if (this.#isOutdated) this.#silence = this.#out.newFillerRun("audio", this.#silence.audioEndMs);
    this.#isOutdated = false;
    if (classified.kind === "video") return this.#out.fillAudio(this.#silence, timestamp);
    this.#out.resumeAudio(this.#silence);
    this.forget();
  }

  /** Another publisher is on air, or filler replaces all of it. */
  forget(): void {
    this.#silence = undefined;
    this.#isOutdated = false;
  }
}

import type { Publisher } from "../publisher/publisher.ts";
import type { FanOut } from "../rendition/fan-out.ts";
import type { FillerRun } from "../rendition/filler-run.ts";
import type { ClassifiedMessage } from "../stream/classify-message.ts";

/**
 * Notices that the audio of the publisher on air has stopped while its video goes on: an unplugged interface, a mixer
 * that hung. Sends silence in the audio's own form until it comes back, where a platform of the channel needs audio.
 */
export class StoppedAudio {
  readonly #out: Pick<FanOut, "newFillerRun" | "fillAudio" | "resumeAudio">;
  #silence: FillerRun | undefined;

  constructor(out: Pick<FanOut, "newFillerRun" | "fillAudio" | "resumeAudio">) {
    this.#out = out;
  }

  /** Whether silence replaces the audio. */
  get isFilled(): boolean {
    return this.#silence !== undefined;
  }

  /** Call now and then while this publisher is on air. `isWanted`: a target takes silence. */
  look(publisher: Publisher, awakeMs: number, isWanted: boolean): void {
    if (isWanted && publisher.isAudioMissed(awakeMs)) this.#silence ??= this.#out.newFillerRun("audio");
  }

  /** Takes each message before it is forwarded: silence goes before video, and audio goes on behind the last silence. */
  take(classified: ClassifiedMessage, timestamp: number): void {
    if (this.#silence === undefined || classified.what !== "frame") return;
    if (classified.kind === "video") return this.#out.fillAudio(this.#silence, timestamp);
    this.#out.resumeAudio(this.#silence);
    this.forget();
  }

  /** Another publisher is on air, or filler replaces all of it. */
  forget(): void {
    this.#silence = undefined;
  }
}

import { formName, type SlateForm } from "../control/channels/slate-form.ts";
import type { MediaFiles, MediaFormat } from "../control/ports/media-files.ts";
import type { SlateMaker } from "../control/ports/slate-maker.ts";
import { FFMPEG_MISSING, type Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { SLATE_LIMITS } from "../ffmpeg/job-limits.ts";
import { type RunResult, run } from "../ffmpeg/run.ts";
import { flvOfMp4 } from "./mp4-tags.ts";
import { isFlv, slateArguments, videoEncoders } from "./slate-arguments.ts";

const NO_ENCODER = /^unknown encoder '([\w-]+)'/i;

export type SlateMakingDeps = {
  readonly files: Pick<MediaFiles, "get" | "path" | "kept" | "keep">;
  readonly findFfmpeg: () => Ffmpeg | undefined;
  readonly stopping: AbortSignal;
};

/** Makes slates by FFmpeg, one after another, and keeps each beside its file. */
export class SlateMaking implements SlateMaker {
  readonly #deps: SlateMakingDeps;
  #last: Promise<unknown> = Promise.resolve();

  constructor(deps: SlateMakingDeps) {
    this.#deps = deps;
  }

  make(fileId: string, form: SlateForm): Promise<{ readonly flv: Buffer } | { readonly reason: string }> {
    const made = this.#last.then(() => this.#make(fileId, form)).catch((error: unknown) => ({ reason: String(error) }));
    this.#last = made;
    return made;
  }

  async #make(fileId: string, form: SlateForm): Promise<{ readonly flv: Buffer } | { readonly reason: string }> {
    const { files, findFfmpeg } = this.#deps;
    const name = formName(form);
    const kept = await files.kept(fileId, name);
    if (kept !== undefined) return { flv: kept };
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) return { reason: FFMPEG_MISSING };
    const { format } = files.get(fileId);
    if (format === undefined) return { reason: "the file is not ready" };
    const result = await this.#encode(ffmpeg, files.path(fileId), format, form);
    if ("reason" in result) return result;
    const flv = isFlv(form) ? result.output : await flvOfMp4(result.output);
    if (flv === undefined) return { reason: "FFmpeg made no video" };
    await files.keep(fileId, name, flv);
    return { flv };
  }

  /** Encodes by the first of the codec's encoders that this FFmpeg has. */
  async #encode({ ffmpeg }: Ffmpeg, path: string, file: MediaFormat, form: SlateForm): Promise<RunResult> {
    let missing = "";
    for (const video of videoEncoders(form)) {
      const result = await run(ffmpeg, slateArguments(path, file, form, video), SLATE_LIMITS, this.#deps.stopping);
      const encoder = "reason" in result ? NO_ENCODER.exec(result.reason)?.[1] : undefined;
      if (encoder === undefined) return result;
      missing = encoder;
    }
    return { reason: `FFmpeg on this server has no encoder for this codec: ${missing}` };
  }
}

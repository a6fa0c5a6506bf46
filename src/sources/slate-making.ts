import { formName, type SlateForm } from "../control/channels/slate-form.ts";
import type { MediaFiles, MediaFormat } from "../control/ports/media-files.ts";
import type { SlateMaker } from "../control/ports/slate-maker.ts";
import { FFMPEG_MISSING, type Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { fileInput, QUIET } from "../ffmpeg/input.ts";
import { SLATE_LIMITS } from "../ffmpeg/job-limits.ts";
import { run } from "../ffmpeg/run.ts";
import { encodedAudio, encodedVideo } from "./file-arguments.ts";

/** A picture is shown as a clip of this length, again and again, in seconds. */
const PICTURE_SECONDS = 2;
/** Of a clip this much is shown, in seconds. */
const CLIP_SECONDS_MAX = 30;

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
    const { files, findFfmpeg, stopping } = this.#deps;
    const name = formName(form);
    const kept = await files.kept(fileId, name);
    if (kept !== undefined) return { flv: kept };
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) return { reason: FFMPEG_MISSING };
    const { format } = files.get(fileId);
    if (format === undefined) return { reason: "the file is not ready" };
    const result = await run(ffmpeg.ffmpeg, slateArguments(files.path(fileId), format, form), SLATE_LIMITS, stopping);
    if ("reason" in result) return result;
    await files.keep(fileId, name, result.output);
    return { flv: result.output };
  }
}

/** No reordered frames, so that a round may follow another at any frame; the parameter sets before each keyframe. */
function slateArguments(path: string, file: MediaFormat, form: SlateForm): readonly string[] {
  const isPicture = file.kind === "picture";
  const picture = isPicture ? ["-loop", "1", "-framerate", String(form.frameRate)] : [];
  const hasAudio = form.audio !== undefined && file.audioCodec !== undefined;
  return [
    ...[...QUIET, "-nostdin", ...picture, "-t", String(isPicture ? PICTURE_SECONDS : CLIP_SECONDS_MAX)],
    ...[...fileInput(path), "-map", "0:v:0", ...(hasAudio ? ["-map", "0:a:0"] : []), ...encodedVideo(form), "-bf", "0"],
    ...(hasAudio && form.audio !== undefined ? [...encodedAudio(form.audio), "-shortest"] : []),
    ...["-sn", "-dn", "-map_metadata", "-1", "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1"],
  ];
}

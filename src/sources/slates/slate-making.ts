import { formName, type SlateForm } from "../../control/channels/slate-form.ts";
import type { MediaFiles, MediaFormat } from "../../control/ports/media-files.ts";
import type { MadeSlate, SlateMaker } from "../../control/ports/slate-maker.ts";
import { FFMPEG_MISSING, type Ffmpeg } from "../../ffmpeg/find-ffmpeg.ts";
import { SLATE_LIMITS } from "../../ffmpeg/job-limits.ts";
import { type RunResult, run } from "../../ffmpeg/run.ts";
import { needsOf } from "../file-arguments.ts";
import { flvOfMp4 } from "./mp4-tags.ts";
import { isFlv, slateArguments, videoEncoders } from "./slate-arguments.ts";

const NO_ENCODER = /^unknown encoder '([\w-]+)'/i;

export type SlateMakingDeps = {
  readonly files: Pick<MediaFiles, "get" | "path" | "problem" | "kept" | "keep">;
  readonly findFfmpeg: () => Ffmpeg | undefined;
  readonly stopping: AbortSignal;
};

type Job = {
  readonly fileId: string;
  readonly form: SlateForm;
  /** For how many it is made. */
  wanted: number;
  /** Aborts when nobody needs it any more. */
  readonly unwanted: AbortController;
  readonly made: Promise<MadeSlate>;
  readonly settle: (made: MadeSlate) => void;
};

/** Of a slate that nobody needs any more, and never shown. */
const UNWANTED: MadeSlate = { reason: "it is not needed any more" };

/**
 * Makes slates by FFmpeg, one at a time, and keeps each beside its file. The form that was asked for last comes first: the one
 * before it may have been measured too early.
 */
export class SlateMaking implements SlateMaker {
  readonly #deps: SlateMakingDeps;
  readonly #waiting: Job[] = [];
  #running: Job | undefined;

  constructor(deps: SlateMakingDeps) {
    this.#deps = deps;
  }

  make(fileId: string, form: SlateForm, unwanted?: AbortSignal): Promise<MadeSlate> {
    const job = this.#find(fileId, form) ?? this.#queue(fileId, form);
    job.wanted += 1;
    unwanted?.addEventListener("abort", () => this.#unwant(job), { once: true });
    this.#next();
    return job.made;
  }

  #find(fileId: string, form: SlateForm): Job | undefined {
    const name = formName(form);
    return [...this.#waiting, this.#running].find(
      (job) => job?.fileId === fileId && formName(job.form) === name && !job.unwanted.signal.aborted,
    );
  }

  #queue(fileId: string, form: SlateForm): Job {
    const { promise: made, resolve: settle } = Promise.withResolvers<MadeSlate>();
    const job = { fileId, form, wanted: 0, unwanted: new AbortController(), made, settle };
    this.#waiting.push(job);
    return job;
  }

  /** One that waited for this job needs it no longer. */
  #unwant(job: Job): void {
    job.wanted -= 1;
    if (job.wanted > 0) return;
    const index = this.#waiting.indexOf(job);
    if (index >= 0) this.#waiting.splice(index, 1);
    job.unwanted.abort();
    job.settle(UNWANTED);
  }

  #next(): void {
    if (this.#running !== undefined) return;
    const job = this.#waiting.pop();
    if (job === undefined) return;
    this.#running = job;
    void this.#make(job)
      .catch((error: unknown) => ({ reason: String(error) }))
      .then((made) => {
        job.settle(made);
        this.#running = undefined;
        this.#next();
      });
  }

  async #make({ fileId, form, unwanted }: Job): Promise<MadeSlate> {
    const { files, findFfmpeg, stopping } = this.#deps;
    const name = formName(form);
    const kept = await files.kept(fileId, name);
    if (kept !== undefined) return { flv: kept };
    const ffmpeg = findFfmpeg();
    if (ffmpeg === undefined) return { reason: FFMPEG_MISSING };
    const { format } = files.get(fileId);
    if (format === undefined) return { reason: "the file is not ready" };
    const problem = await files.problem(fileId);
    if (problem !== undefined) return { reason: problem };
    const ending = AbortSignal.any([stopping, unwanted.signal]);
    const result = await encode(ffmpeg, files.path(fileId), format, form, ending);
    if ("reason" in result) return result;
    const flv = isFlv(form) ? result.output : await flvOfMp4(result.output);
    if (flv === undefined) return { reason: "FFmpeg made no video" };
    await files.keep(fileId, name, flv);
    return { flv };
  }
}

/** Encodes by the first of the codec's encoders that this FFmpeg has. */
async function encode(
  { ffmpeg }: Ffmpeg,
  path: string,
  file: MediaFormat,
  form: SlateForm,
  ending: AbortSignal,
): Promise<RunResult> {
  let missing = "";
  for (const video of videoEncoders(form, needsOf(file))) {
    const result = await run(ffmpeg, slateArguments(path, file, form, video), SLATE_LIMITS, ending);
    const encoder = "reason" in result ? NO_ENCODER.exec(result.reason)?.[1] : undefined;
    if (encoder === undefined) return result;
    missing = encoder;
  }
  return { reason: `FFmpeg on this server has no encoder for this codec: ${missing}` };
}

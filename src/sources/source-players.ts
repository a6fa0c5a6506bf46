import type { Log } from "../base/log.ts";
import type { ChannelSource, FilesSource, PullSource, SourceReason, SourceStatus } from "../control/channels/source.ts";
import type { MediaFiles, MediaFormat } from "../control/ports/media-files.ts";
import type { SourceNews, SourcePlayer, SourceStart } from "../control/ports/source-player.ts";
import { FFMPEG_MISSING, type Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { PLAY_LIMITS } from "../ffmpeg/job-limits.ts";
import { startChild } from "../ffmpeg/limited-child.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { Clip } from "./clip.ts";
import { fileArguments } from "./file-arguments.ts";
import { LateClip } from "./late-clip.ts";
import type { FfmpegRun } from "./pull-attempt.ts";
import { PullRun, type PullRunDeps } from "./pull-run.ts";
import { type RunFormat, runFormat } from "./run-format.ts";
import { SourceRun, type SourceRunDeps } from "./source-run.ts";

export type SourcePlayersDeps = Pick<SourceRunDeps, "clock" | "publish" | "isElsewhere"> &
  SourceNews & {
    readonly log: Log;
    readonly files: Pick<MediaFiles, "list" | "get" | "path" | "problem">;
    readonly findFfmpeg: () => Ffmpeg | undefined;
  } & Pick<PullRunDeps, "openLink" | "random">;

/** What plays into one channel. */
type Run = Pick<SourceRun, "status" | "update" | "stop" | "abandon"> & {
  /** Plays other files from now on, within the same stream. False where it cannot. */
  readonly switchTo: (start: SourceStart, source: ChannelSource) => boolean;
};

type ReadyFile = { readonly fileId: string; readonly format: MediaFormat };

/** The sources that play on this server, one for each channel at most. */
export class SourcePlayers implements SourcePlayer {
  readonly #deps: SourcePlayersDeps;
  readonly #runs = new Map<ChannelId, Run>();

  constructor(deps: SourcePlayersDeps) {
    this.#deps = deps;
  }

  get isAvailable(): boolean {
    return this.#deps.findFfmpeg() !== undefined;
  }

  start(start: SourceStart): void {
    const { channelId, source } = start;
    if (this.#runs.get(channelId)?.switchTo(start, source) === true) return;
    // What played leaves like a lost encoder, and says nothing: platforms keep their connections.
    void this.#runs.get(channelId)?.abandon();
    const onStatus = (status: SourceStatus) => {
      // A run that another one replaced says nothing more.
      if (this.#runs.get(channelId) === run) this.#deps.onStatus(channelId, status);
    };
    const run: Run = source.kind === "pull" ? this.#pull(start, source, onStatus) : this.#play(start, source, onStatus);
    this.#runs.set(channelId, run);
  }

  update(channelId: ChannelId, source: ChannelSource): void {
    this.#runs.get(channelId)?.update(source);
  }

  async stop(channelId: ChannelId, reason: SourceReason): Promise<void> {
    await this.#runs.get(channelId)?.stop(reason);
  }

  status(channelId: ChannelId): SourceStatus | undefined {
    return this.#runs.get(channelId)?.status;
  }

  /** Ends all of them with the server: nothing is told, and they begin again with the next start. */
  async close(): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all(runs.map((run) => run.stop("stopped-by-person")));
  }

  /** Another process takes over and plays on. Nothing is told. */
  async abandon(): Promise<void> {
    const runs = [...this.#runs.values()];
    this.#runs.clear();
    await Promise.all(runs.map((run) => run.abandon()));
  }

  #play(start: SourceStart, source: FilesSource, onStatus: SourceRunDeps["onStatus"]): Run {
    const { clock, random, publish, log, isElsewhere } = this.#deps;
    const { channelId } = start;
    let present = source;
    let format: RunFormat | undefined;
    const run = new SourceRun(start, source, {
      ...{ clock, random, publish, onStatus, isElsewhere },
      openFile: (fileId, offsetMs) => {
        const ready = this.#readyFiles();
        const file = ready.get(fileId);
        if (file === undefined) return { reason: "the file was deleted, or is not ready" };
        // Of all files that play, beginning with the one to be opened.
        const others = present.fileIds.map((each) => ready.get(each)?.format);
        format = runFormat([file.format, ...others.filter((each) => each !== undefined)], format);
        return this.#openFile(file, format, offsetMs);
      },
      mayReturn: (fileId) => this.#mayReturn(fileId),
      onSkipped: (fileId, detail) => log.warn("a file was not played to its end", { channelId, fileId, detail }),
    });
    return {
      get status() {
        return run.status;
      },
      update: (other) => {
        if (other.kind === "files") present = other;
        run.update(other);
      },
      stop: (reason, detail) => run.stop(reason, detail),
      abandon: () => run.abandon(),
      switchTo: (next, other) => {
        if (other.kind !== "files" || run.status.state !== "playing") return false;
        present = other;
        run.switchTo(next, other);
        return true;
      },
    };
  }

  #pull(start: SourceStart, source: PullSource, onStatus: PullRunDeps["onStatus"]): Run {
    const { clock, publish, openLink, random } = this.#deps;
    const startFfmpeg: PullRunDeps["startFfmpeg"] = (args, env) => this.#startPull(args, env);
    const run = new PullRun(start, source, { ...{ clock, publish, openLink, random, startFfmpeg, onStatus } });
    return Object.assign(run, { switchTo: () => false });
  }

  #startPull(...[args, env]: Parameters<PullRunDeps["startFfmpeg"]>): FfmpegRun | undefined {
    const ffmpeg = this.#deps.findFfmpeg();
    if (ffmpeg === undefined) return undefined;
    const child = startChild(ffmpeg.ffmpeg, args, PLAY_LIMITS, { hasInput: true, env });
    return child.input === undefined ? undefined : { clip: new Clip(child), input: child.input };
  }

  /** By id: a list may have 500 of a thousand files, and each is opened in turn. */
  #readyFiles(): ReadonlyMap<string, ReadyFile> {
    const ready = new Map<string, ReadyFile>();
    for (const { fileId, state, format } of this.#deps.files.list())
      if (state === "ready" && format !== undefined) ready.set(fileId, { fileId, format });
    return ready;
  }

  /**
   * Whether it is a file of the watched folder. FFmpeg played a frame of it when it came, so what is missing now is its disk, or it
   * is being replaced.
   */
  #mayReturn(fileId: string): boolean {
    try {
      const { state, contentKey } = this.#deps.files.get(fileId);
      return contentKey !== undefined && (state === "ready" || state === "checking");
    } catch {
      return false;
    }
  }

  #openFile(file: ReadyFile, format: RunFormat, offsetMs: number): LateClip {
    const { findFfmpeg, files } = this.#deps;
    return new LateClip(files.problem(file.fileId), () => {
      const ffmpeg = findFfmpeg();
      if (ffmpeg === undefined) return { reason: FFMPEG_MISSING };
      const args = fileArguments(files.path(file.fileId), file.format, format, offsetMs);
      return new Clip(startChild(ffmpeg.ffmpeg, args, PLAY_LIMITS));
    });
  }
}

import type { Clock } from "../base/clock.ts";
import { unreachable } from "../base/unreachable.ts";
import type {
  FromRecorded,
  FromRecorder,
  RecordingReply,
  RecordingRequest,
  ToRecorded,
} from "../thread-protocol/recordings/recorder-messages.ts";
import type { RecordingFile, RecordingProblem } from "../thread-protocol/recordings/recordings.ts";
import type { FileLimits } from "./container/stream-recorder.ts";
import type { Disk } from "./files/disk.ts";
import { Library } from "./files/library.ts";
import { keyOf } from "./files/recording-names.ts";
import { Room, type RoomLimits } from "./files/room.ts";
import { Recording } from "./recording.ts";
import type { ObjectStore } from "./upload/object-store.ts";
import type { S3Settings } from "./upload/s3-settings.ts";
import { Uploader } from "./upload/uploader.ts";

/** How often the folder is looked at, in milliseconds: for recordings that were kept long enough, and unfinished ones. */
const LOOK_EVERY_MS = 60_000;
/** A file that grows is reported at most this often, in milliseconds. */
const REPORT_EVERY_MS = 2_000;
/** The most that one request reads, in bytes. */
const READ_BYTES_MAX = 1024 * 1024;

export type RecorderSettings = FileLimits &
  RoomLimits & {
    readonly folder: string;
    /** Another text for each server: two may have one folder by mistake. */
    readonly server: string;
    /** Where finished files are uploaded to; absent: nowhere. Holds a secret. */
    readonly upload?: S3Settings & { readonly prefix: string };
  };

export type RecorderDeps = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly settings: RecorderSettings;
  readonly post: (message: FromRecorder, transferred?: readonly ArrayBuffer[]) => void;
};

/** The link to one media thread, as the recorder uses it. */
export interface RecordedLink {
  post(message: ToRecorded): void;
  listen(onMessage: (message: FromRecorded) => void, onClosed: () => void): void;
}

/** Records the channels of all media threads into one folder. */
export class Recorder {
  readonly #deps: RecorderDeps;
  readonly #library: Library;
  readonly #room: Room;
  readonly #running = new Set<Recording>();
  readonly #reportedMs = new Map<string, number>();
  #isLoading = true;
  #uploader: Uploader | undefined;

  constructor(deps: RecorderDeps) {
    this.#deps = deps;
    const { disk, clock, settings, post } = deps;
    const { folder, server } = settings;
    this.#library = new Library({
      ...{ disk, clock, folder, server },
      onFile: (file) => this.#report(file),
      onGone: (file, cause, uploadNotes) => {
        this.#reportedMs.delete(keyOf(file));
        this.#uploader?.deleted(file, uploadNotes);
        post({ kind: "file-gone", file, cause });
      },
      onWarning: (name, detail) => post({ kind: "warning", name, detail }),
    });
    const isUploaded = settings.upload !== undefined;
    this.#room = new Room(settings, { disk, clock, folder, library: this.#library, isUploaded });
  }

  /** Reads the folder. A folder that cannot be used makes each recording end with a reason. */
  start(): void {
    const { post } = this.#deps;
    try {
      this.#library.load();
    } catch (error) {
      post({ kind: "warning", name: "recordings folder not usable", detail: String(error) });
    }
    this.#isLoading = false;
    post({ kind: "files", files: [...this.#library.files] });
    this.#look();
  }

  /** Uploads finished files from now on. Call it after `start`. */
  uploadTo(store: ObjectStore, prefix: string, random: () => number): void {
    const { clock, post } = this.#deps;
    this.#uploader = new Uploader({
      ...{ store, library: this.#library, clock, random, prefix },
      onResult: ({ channelId, recordingId }, upload) =>
        post({ kind: "upload", file: { channelId, recordingId }, time: clock.wallNow(), upload }),
    });
    this.#uploader.look();
  }

  /** Records what comes over this link until it is closed. */
  serve(link: RecordedLink): void {
    const recordings = new Map<number, Recording>();
    link.listen(
      (message) => this.#take(link, recordings, message),
      () => {
        // The media thread died: its broadcasts are over.
        for (const recording of recordings.values()) void this.#end(recording, "BROADCAST_ENDED");
      },
    );
  }

  request(requestId: number, request: RecordingRequest): void {
    const reply = this.#reply(request);
    const bytes = reply.kind === "read" && reply.part.found === "bytes" ? [reply.part.bytes.buffer] : [];
    this.#deps.post({ kind: "reply", requestId, reply }, bytes);
  }

  /** Finishes all files. `problem`: what ends recordings of broadcasts that go on, which their media threads are told. */
  async stop(problem?: RecordingProblem): Promise<void> {
    const running = [...this.#running];
    if (problem === undefined) await Promise.all(running.map((recording) => this.#end(recording, "BROADCAST_ENDED")));
    else await Promise.all(running.map((recording) => recording.giveUp(problem)));
    this.#library.lookAgain();
    this.#deps.post({ kind: "stopped" });
  }

  #take(link: RecordedLink, recordings: Map<number, Recording>, message: FromRecorded): void {
    const { number } = message;
    switch (message.kind) {
      case "begin": {
        const recording = new Recording(message.channelId, message.startTime, {
          ...{ library: this.#library, room: this.#room, limits: this.#deps.settings },
          onTaken: (bytes) => link.post({ kind: "taken", number, bytes }),
          onEnded: (problem) => {
            this.#running.delete(recording);
            link.post({ kind: "ended", number, problem });
          },
          onWarning: (name, detail) => this.#deps.post({ kind: "warning", name, detail }),
        });
        recordings.set(number, recording);
        this.#running.add(recording);
        return;
      }
      case "media":
        return recordings.get(number)?.take(message.bytes);
      case "end": {
        const recording = recordings.get(number);
        recordings.delete(number);
        if (recording !== undefined) void this.#end(recording, message.reason);
        return;
      }
      default:
        return unreachable(message);
    }
  }

  async #end(recording: Recording, reason: Extract<FromRecorded, { kind: "end" }>["reason"]): Promise<void> {
    await recording.end(reason);
    this.#running.delete(recording);
  }

  #reply(request: RecordingRequest): RecordingReply {
    if (request.kind === "delete") return { kind: "delete", result: this.#library.delete(request) };
    const length = Math.min(request.length, READ_BYTES_MAX);
    return { kind: "read", part: this.#library.read(request, request.from, length) };
  }

  #report(file: RecordingFile): void {
    const { clock, post } = this.#deps;
    const [key, nowMs] = [keyOf(file), clock.now()];
    const isGrowing = file.bytes > 0 && file.end === undefined;
    if (this.#isLoading || (isGrowing && nowMs - (this.#reportedMs.get(key) ?? 0) < REPORT_EVERY_MS)) return;
    if (file.end === undefined) this.#reportedMs.set(key, nowMs);
    else this.#reportedMs.delete(key);
    post({ kind: "file", file });
    // Later: the library is in the middle of a change.
    if (file.end !== undefined && file.upload === undefined) clock.startTimer(0, () => this.#uploader?.look());
  }

  #look(): void {
    this.#library.lookAgain();
    this.#room.prune();
    this.#deps.clock.startTimer(LOOK_EVERY_MS, () => this.#look());
  }
}

import type { Clock } from "../../../src/base/clock.ts";
import type { RecorderPort } from "../../../src/control/ports/recorder.ts";
import { type Disk, SYSTEM_DISK } from "../../../src/recording/files/disk.ts";
import { Recorder, type RecorderSettings } from "../../../src/recording/recorder.ts";
import type {
  FromRecorded,
  FromRecorder,
  RecordingReply,
  RecordingRequest,
  ToRecorded,
} from "../../../src/thread-protocol/recordings/recorder-messages.ts";

export const ROOMY: Omit<RecorderSettings, "folder"> = {
  ...{
    server: "a server",
    fileMs: 3_600_000,
    fileBytes: 1e12,
    keepFreeBytes: 0,
    quotaBytes: 0,
    keepMs: 0,
    keepBytes: 0,
  },
};

/** The recorder in this thread, on the disk that a test chooses. */
export class InProcessRecorder implements RecorderPort {
  readonly posted: FromRecorder[] = [];
  readonly toRecorded: ToRecorded[] = [];
  readonly recorder: Recorder;
  onNews: (message: FromRecorder) => void = () => undefined;
  readonly #replies = new Map<number, RecordingReply>();
  #take: (message: FromRecorded) => void = () => undefined;
  #close: () => void = () => undefined;
  #lastId = 0;

  constructor(settings: RecorderSettings, clock: Clock, disk: Disk = SYSTEM_DISK) {
    this.recorder = new Recorder({
      ...{ disk, clock, settings },
      post: (message) => {
        this.posted.push(message);
        if (message.kind === "reply") this.#replies.set(message.requestId, message.reply);
        else this.onNews(message);
      },
    });
    this.recorder.serve({
      post: (message) => void this.toRecorded.push(message),
      listen: (onMessage, onClosed) => {
        this.#take = onMessage;
        this.#close = onClosed;
      },
    });
  }

  /** What a media thread sends. */
  send(message: FromRecorded): void {
    this.#take(message);
  }

  /** The media thread dies. */
  loseLink(): void {
    this.#close();
  }

  async ask(request: RecordingRequest): Promise<RecordingReply> {
    this.#lastId += 1;
    this.recorder.request(this.#lastId, request);
    const reply = this.#replies.get(this.#lastId);
    if (reply === undefined) throw new Error("no reply");
    return reply;
  }
}

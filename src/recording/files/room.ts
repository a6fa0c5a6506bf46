import type { Clock } from "../../base/clock.ts";
import { CautiousTime } from "../../base/wall-steps.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { RecordingFile, RecordingProblem } from "../../thread-protocol/recordings/recordings.ts";
import type { Disk } from "./disk.ts";
import type { Library } from "./library.ts";

/** How much recordings may take. */
export type RoomLimits = {
  /** Bytes of the disk that stay free. */
  readonly keepFreeBytes: number;
  /** Bytes of one channel's recordings; 0: no limit. */
  readonly quotaBytes: number;
  /** Age at which a recording is removed, in milliseconds; 0: never. */
  readonly keepMs: number;
  /** Bytes of all recordings above which the oldest are removed; 0: no limit. */
  readonly keepBytes: number;
};

/** The disk is asked at most this often, in milliseconds. */
const LOOK_EVERY_MS = 1_000;
/** Nothing is removed by age so soon after the start, in milliseconds: a machine may start with a wrong clock. */
const CLOCK_UNSURE_MS = 10 * 60 * 1_000;
/** A recording that ended for want of room begins again when there is this much more, in bytes. */
const AGAIN_BYTES = 64 * 1024 * 1024;

/** Watches the space that recordings take, and removes those that were kept long enough. */
export class Room {
  readonly #limits: RoomLimits;
  readonly #disk: Disk;
  readonly #clock: Clock;
  /** A clock that was set forward by mistake must not delete recordings. */
  readonly #cautious: CautiousTime;
  readonly #folder: string;
  readonly #library: Library;
  readonly #isUploaded: boolean;
  readonly #startMs: number;
  #isShort = false;
  #lookedMs = Number.NEGATIVE_INFINITY;

  constructor(
    limits: RoomLimits,
    deps: {
      readonly disk: Disk;
      readonly clock: Clock;
      readonly folder: string;
      readonly library: Library;
      /** Whether recordings are uploaded: then each stays until it is. */
      readonly isUploaded: boolean;
    },
  ) {
    this.#limits = limits;
    this.#disk = deps.disk;
    this.#clock = deps.clock;
    this.#cautious = new CautiousTime(deps.clock);
    this.#folder = deps.folder;
    this.#library = deps.library;
    this.#isUploaded = deps.isUploaded;
    this.#startMs = deps.clock.now();
  }

  /** What keeps a channel from being recorded now; undefined where there is room. Throws where the disk does not answer. */
  problem(channelId: ChannelId): RecordingProblem | undefined {
    if (this.#isDiskShort()) return "DISK_FULL";
    const { quotaBytes } = this.#limits;
    if (quotaBytes === 0) return undefined;
    return this.#library.usedBytes(channelId) >= quotaBytes ? "QUOTA_REACHED" : undefined;
  }

  /** The disk took no more, whatever it said before: look again, and ask for more room than before. */
  ranOut(): void {
    this.#isShort = true;
    this.#lookedMs = this.#clock.now();
  }

  /**
   * Removes finished recordings that are too old, and the oldest where all together take too much. Call it at least once an
   * hour.
   */
  prune(): void {
    const { keepMs, keepBytes } = this.#limits;
    const finished = [...this.#library.files]
      // What is not uploaded yet is kept, also while nobody has looked how far it is.
      .filter(({ end, upload }) => end !== undefined && (!this.#isUploaded || upload?.state === "UPLOADED"))
      .sort((left, right) => left.startTime - right.startTime);
    const nowTime = this.#cautious.now();
    const isClockSure = this.#clock.now() - this.#startMs >= CLOCK_UNSURE_MS;
    let total = sum([...this.#library.files]);
    for (const file of finished) {
      const isTooOld = keepMs > 0 && isClockSure && nowTime - (file.end?.time ?? nowTime) >= keepMs;
      const isTooMany = keepBytes > 0 && total > keepBytes;
      if (!isTooOld && !isTooMany) continue;
      if (this.#library.delete(file, isTooOld ? "too-old" : "too-many") === "deleted") total -= file.bytes;
    }
  }

  #isDiskShort(): boolean {
    const nowMs = this.#clock.now();
    if (nowMs - this.#lookedMs < LOOK_EVERY_MS) return this.#isShort;
    this.#lookedMs = nowMs;
    const neededBytes = this.#limits.keepFreeBytes + (this.#isShort ? AGAIN_BYTES : 0);
    this.#isShort = this.#disk.freeBytes(this.#folder) < neededBytes;
    return this.#isShort;
  }
}

function sum(files: readonly RecordingFile[]): number {
  return files.reduce((bytes, file) => bytes + file.bytes, 0);
}

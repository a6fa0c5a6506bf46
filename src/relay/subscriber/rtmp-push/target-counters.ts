import type { TargetId } from "../../../thread-protocol/channel-spec.ts";
import type { DroppedFrames, TargetSample } from "../../../thread-protocol/samples.ts";
import { NO_DROPS, sumOfDrops } from "./drops.ts";
import type { LinkCare } from "./health/link-care.ts";
import { PlayTime } from "./health/play-time.ts";
import { Stability } from "./health/stability.ts";
import type { Link } from "./link.ts";
import { LinkTotals } from "./link-totals.ts";
import type { RtmpPush } from "./rtmp-push.ts";

/** Proof of progress comes once a second; without it for this long, in milliseconds, time does not count as played. */
const UNPROVEN_MAX_MS = 1_500;

/** The present connection of a target. */
export type Present = {
  readonly link: Link | undefined;
  readonly push: Pick<RtmpPush, "queue" | "hasSilence"> | undefined;
  readonly care: LinkCare | undefined;
};

/** The counters of one target, over all its links. */
export class TargetCounters {
  readonly #totals = new LinkTotals();
  readonly #playTime = new PlayTime();
  readonly #stability = new Stability();
  #retryCount = 0;
  /** It gets some of the stream, and has not left since. */
  #isOnAir = false;

  retried(): void {
    this.#retryCount += 1;
  }

  /** Call once a second. A target that is given nothing is not on air. */
  tick(link: Link | undefined, care: LinkCare | undefined, nowMs: number): void {
    this.#totals.tick(link?.takenBytes ?? 0);
    const idleMs = care?.idleMs;
    if (idleMs !== undefined) this.#playTime.stop(nowMs - idleMs);
    else if (this.#isOnAir && !this.#playTime.isRunning) this.#playTime.start(nowMs);
  }

  /** A link ended. */
  add(link: Link, drops: DroppedFrames = NO_DROPS): void {
    this.#totals.add(link.takenBytes, drops);
  }

  /** It gets the stream from now on. */
  wentOnAir(nowMs: number): void {
    this.#isOnAir = true;
    this.#playTime.start(nowMs);
  }

  /** It left. `hasFallen`: it failed, and was not left on purpose. */
  leftAir(care: LinkCare | undefined, hasFallen: boolean, nowMs: number): void {
    this.#isOnAir = false;
    this.#playTime.stop(provenMs(care, nowMs));
    if (hasFallen) this.#stability.fell(nowMs);
  }

  sample(targetId: TargetId, { link, push, care }: Present, nowMs: number): TargetSample {
    const sendQueue = push?.queue;
    const [unackedBytes, ackedBytes] = [care?.unackedBytes, care?.ackedBytes];
    const drops = this.#totals.drops(sendQueue?.drops ?? NO_DROPS);
    return {
      targetId,
      bytesPerSecond: this.#totals.bytesPerSecond,
      bytesTotal: this.#totals.bytes(link?.takenBytes ?? 0),
      playMs: Math.round(this.#playTime.total(provenMs(care, nowMs))),
      retryCount: this.#retryCount,
      droppedFrames: sumOfDrops(drops),
      drops,
      queueMs: (sendQueue?.waitingMs ?? 0) + (care?.kernelMs ?? 0),
      ...(unackedBytes === undefined ? {} : { unackedBytes }),
      ...(ackedBytes === undefined ? {} : { ackedBytes }),
      ...(push?.hasSilence === true ? { hasSilence: true } : {}),
      isUnstable: this.#stability.isUnstable(nowMs),
    };
  }
}

/**
 * Time up to which it is known to have taken what it was sent, in milliseconds: what lies in a buffer is not played.
 */
function provenMs(care: LinkCare | undefined, nowMs: number): number {
  const silentMs = care?.silentMs ?? 0;
  return silentMs < UNPROVEN_MAX_MS ? nowMs : nowMs - silentMs;
}

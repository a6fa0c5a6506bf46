import type { BigIntStats } from "node:fs";
import { lstat } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { systemCode } from "../base/system-errors.ts";

/** A folder that has not answered for this long is away, in milliseconds. */
const ANSWER_MS = 10_000;
const UNANSWERED = "the watched folder does not answer";

/**
 * Another text where the content may be another one. The inode does not count: folders of the network number their files anew,
 * some of them at any time.
 */
function contentOf({ size, mtimeNs }: Pick<BigIntStats, "size" | "mtimeNs">): string {
  return `${size}-${mtimeNs}`;
}

/** Names a content, and the disk of the folder in which it was found: that has another number each time it is mounted. */
export function contentKeyOf(stats: Pick<BigIntStats, "size" | "mtimeNs">, disk: bigint): string {
  return `${disk}-${contentOf(stats)}`;
}

/** Whether both keys are of one content, on the same disk or another one. */
export function isSameContent(key: string, other: string): boolean {
  return contentIn(key) === contentIn(other);
}

/** Whether the key's folder was on this disk. */
export function isOnDisk(key: string, disk: bigint): boolean {
  return key.startsWith(`${disk}-`);
}

/** It is at the end: earlier versions had the inode in front of it. */
function contentIn(key: string): string {
  return key.split("-").slice(-2).join("-");
}

/** Why a file of the watched folder cannot be read now, as part of a sentence; undefined where it can. Never rejects. */
async function contentProblem(path: string, contentKey: string): Promise<string | undefined> {
  try {
    const stats = await lstat(path, { bigint: true });
    if (!stats.isFile()) return "it is no regular file any more";
    const isSame = contentOf(stats) === contentIn(contentKey);
    return isSame ? undefined : "it was changed in the watched folder and is checked again";
  } catch (error) {
    const code = systemCode(error);
    return code === "ENOENT" ? "it was removed from the watched folder" : `the watched folder cannot be read (${code})`;
  }
}

export type ContentLooksDeps = {
  readonly clock: Pick<Clock, "awakeNow" | "startTimer">;
  /** Looks at one file. */
  readonly look?: typeof contentProblem;
};

/**
 * Looks at files of the watched folder before they are read. A folder of the network may not answer for hours: the looks come
 * one after another, so that they hold up one thread of the process's few, and nobody waits longer than ten seconds.
 */
export class ContentLooks {
  readonly #deps: ContentLooksDeps;
  #looks: Promise<void> = Promise.resolve();
  #isHeldUp = false;

  constructor(deps: ContentLooksDeps) {
    this.#deps = deps;
  }

  /** Why a file cannot be read now, as part of a sentence; undefined where it can. Never rejects. */
  problem(path: string, contentKey: string): Promise<string | undefined> {
    if (this.#isHeldUp) return Promise.resolve(UNANSWERED);
    const { clock, look = contentProblem } = this.#deps;
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    let isLate = false;
    const late = startDeadline(clock, ANSWER_MS, () => {
      isLate = true;
      this.#isHeldUp = true;
      resolve(UNANSWERED);
    });
    this.#looks = this.#looks.then(async () => {
      if (isLate) return;
      resolve(await look(path, contentKey));
      this.#isHeldUp = false;
      late.cancel();
    });
    return promise;
  }
}

import type { FlvTag } from "../protocol/flv/flv-tag.ts";
import type { PlayedClip } from "./clip.ts";

type Opened = PlayedClip | { readonly reason: string };

/** A clip that begins once it is known that its file can be read: the disk of a file may not answer for long. */
export class LateClip implements PlayedClip {
  readonly #gone = Promise.withResolvers<void>();
  #clip: PlayedClip | undefined;
  #isEnded = false;
  #failure: string | undefined;

  /** `problem`: resolves with the reason where the file cannot be read; undefined where it can. `open` begins it then. */
  constructor(problem: Promise<string | undefined>, open: () => Opened) {
    problem
      .then((reason) => this.#begin(reason === undefined ? open : () => ({ reason })))
      .catch((error: unknown) => this.#end(error instanceof Error ? error.message : String(error)));
  }

  get next(): FlvTag | undefined {
    return this.#clip?.next;
  }

  get isRead(): boolean {
    return this.#clip?.isRead ?? this.#isEnded;
  }

  get isOver(): boolean {
    return this.#clip?.isOver ?? this.#isEnded;
  }

  get takenTotal(): number {
    return this.#clip?.takenTotal ?? 0;
  }

  get failure(): string | undefined {
    return this.#clip === undefined ? this.#failure : this.#clip.failure;
  }

  /** Also resolves where the file was never read. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  take(): FlvTag | undefined {
    return this.#clip?.take();
  }

  kill(reason?: string): void {
    if (this.#clip === undefined) this.#end(reason);
    else this.#clip.kill(reason);
  }

  #begin(open: () => Opened): void {
    if (this.#isEnded) return;
    const opened = open();
    if ("reason" in opened) return this.#end(opened.reason);
    this.#clip = opened;
    void opened.gone.then(this.#gone.resolve);
  }

  #end(failure: string | undefined): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = failure;
    this.#gone.resolve();
  }
}

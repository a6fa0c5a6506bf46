import { setTimeout as pass } from "node:timers/promises";
import type { Clip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";

/** As OBS waits before it connects again, in milliseconds. */
const RETURN_MS = 2_000;
const ACCEPT_DEADLINE_MS = 3_000;

/** An encoder that comes back two seconds after each loss of its connection. */
export class ReturningEncoder {
  readonly #url: () => string;
  readonly #streamKey: string;
  readonly #clip: Clip;
  #encoder: KitEncoder | undefined;
  #isOver = false;
  /** What it did, with milliseconds since the Unix epoch. */
  readonly happened: { readonly atMs: number; readonly what: string }[] = [];
  /** How often a server refused it: a person would have to act. */
  refusals = 0;
  readonly over: Promise<void>;

  /** `url`: where it connects to the next time, without the key. */
  constructor(url: () => string, streamKey: string, clip: Clip) {
    this.#url = url;
    this.#streamKey = streamKey;
    this.#clip = clip;
    this.over = this.#publish();
  }

  get isAccepted(): boolean {
    return this.#encoder?.report.isAccepted === true && this.#encoder.report.end === undefined;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#encoder?.stop("clean");
    await this.over;
  }

  #note(what: string): void {
    this.happened.push({ atMs: Date.now(), what: `encoder ${what}` });
  }

  async #publish(): Promise<void> {
    while (!this.#isOver) {
      const options = { url: this.#url(), streamKey: this.#streamKey, clip: this.#clip };
      this.#note("connects");
      const encoder = new KitEncoder({ ...options, acceptDeadlineMs: ACCEPT_DEADLINE_MS });
      this.#encoder = encoder;
      void encoder.accepted.then((isAccepted) => this.#note(isAccepted ? "accepted" : "not accepted"));
      const { end } = await encoder.closed;
      this.#note(`ends: ${end?.how}`);
      if (end?.how === "refused") this.refusals += 1;
      if (!this.#isOver) await pass(RETURN_MS);
    }
  }
}

import { ProtocolError } from "./protocol-error.ts";

/** Messages that are not media: in all before publishing, and in any one second afterwards. */
const BEFORE_PUBLISH_MAX = 64;
const PER_SECOND_MAX = 50;

/** Bounds the work a peer can make us do without sending any media. */
export class CommandBudget {
  #count = 0;
  #second = 0;

  /** Counts one more message; false where it is one too many. */
  take(isPublishing: boolean, nowMs: number): boolean {
    if (isPublishing) {
      const second = Math.floor(nowMs / 1000);
      if (second !== this.#second) {
        this.#second = second;
        this.#count = 0;
      }
    }
    this.#count += 1;
    return this.#count <= (isPublishing ? PER_SECOND_MAX : BEFORE_PUBLISH_MAX);
  }

  /** @throws ProtocolError "too-many-messages" where it is one too many. */
  count(isPublishing: boolean, nowMs: number): void {
    if (this.take(isPublishing, nowMs)) return;
    throw new ProtocolError("too-many-messages", "more without media than any peer sends");
  }

  /** A publication ended: the next one has a budget of its own. */
  reset(): void {
    this.#count = 0;
  }
}

import { ProtocolError } from "../protocol-error.ts";

/** Messages that are neither media nor data: all of them before publishing, and those of any one second afterwards. */
type CommandLimits = { readonly beforePublishMax: number; readonly perSecondMax: number };

const OF_STRANGERS: CommandLimits = { beforePublishMax: 64, perSecondMax: 50 };
/** For targets, which a user chose. Unusual ones ping in bursts; a flood has tens of thousands a second. */
export const OF_TARGETS: CommandLimits = { beforePublishMax: 1_000, perSecondMax: 1_000 };

/** Bounds the work that a peer can cause without sending any media. */
export class CommandBudget {
  #count = 0;
  #second = 0;
  readonly #limits: CommandLimits;

  constructor(limits = OF_STRANGERS) {
    this.#limits = limits;
  }

  /**
   * Counts one more message.
   *
   * @throws ProtocolError "too-many-messages" where it exceeds the budget.
   */
  count(isPublishing: boolean, nowMs: number): void {
    if (isPublishing) {
      const second = Math.floor(nowMs / 1000);
      if (second !== this.#second) {
        this.#second = second;
        this.#count = 0;
      }
    }
    this.#count += 1;
    if (this.#count <= (isPublishing ? this.#limits.perSecondMax : this.#limits.beforePublishMax)) return;
    throw new ProtocolError("too-many-messages", "more without media than any peer sends");
  }

  /** A publication ended: the next one has a budget of its own. */
  reset(): void {
    this.#count = 0;
  }
}

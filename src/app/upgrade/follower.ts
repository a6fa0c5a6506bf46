import type { ToControl } from "../../thread-protocol/messages.ts";
import type { ProcessLink } from "./process-link.ts";
import type { FromPredecessor, FromSuccessor } from "./process-messages.ts";

/** Messages that wait while no process decides; above this the oldest are lost, and the log says so. */
const WAITING_MAX = 10_000;

export type SuccessorLink = ProcessLink<FromPredecessor, FromSuccessor>;
export type ThreadMessage = { readonly thread: number; readonly message: ToControl | "gone" };

export type FollowerDeps = {
  /** Folds what is passed on into this process's own state, so that it can tell a later process. */
  readonly note: (message: ThreadMessage) => void;
  /** Messages are lost: too many wait. */
  readonly onLoss: () => void;
  readonly waitingMax?: number;
};

/** Kinds that concern only the process in which the thread runs. */
const OWN_KINDS: ReadonlySet<ToControl["kind"]> = new Set([
  "listening",
  "listen-failed",
  "warning",
  "drained",
  "stopped",
]);

/**
 * Passes on what media threads report, once another process decides. While none does, the messages wait: the next one
 * gets the state from before them, and then the messages.
 */
export class Follower {
  readonly #deps: FollowerDeps;
  #waiting: ThreadMessage[] = [];
  #link: Pick<SuccessorLink, "send"> | undefined;
  #hasLost = false;

  constructor(deps: FollowerDeps) {
    this.#deps = deps;
  }

  get isFollowing(): boolean {
    return this.#link !== undefined;
  }

  take(message: ThreadMessage): void {
    if (message.message !== "gone" && OWN_KINDS.has(message.message.kind)) return;
    if (this.#link !== undefined) return this.#pass(this.#link, message);
    this.#wait(message);
  }

  /** This process decides from now on. Its state is that of before the messages that wait. */
  follow(link: Pick<SuccessorLink, "send">): void {
    this.#link = link;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#pass(link, message);
  }

  /** The process that decided is gone, or another one is to decide. */
  wait(): void {
    this.#link = undefined;
  }

  /** This process decides again: returns what waits, and takes nothing until then. */
  giveBack(): readonly ThreadMessage[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #pass(link: Pick<SuccessorLink, "send">, message: ThreadMessage): void {
    this.#deps.note(message);
    const { thread } = message;
    if (message.message === "gone") link.send({ kind: "thread-gone", thread });
    else link.send({ kind: "message", thread, message: message.message });
  }

  #wait(message: ThreadMessage): void {
    // Counters only rise: of samples the last ones are enough.
    if (isSamples(message)) {
      this.#waiting = this.#waiting.filter((each) => !isSamples(each) || each.thread !== message.thread);
    }
    this.#waiting.push(message);
    if (this.#waiting.length <= (this.#deps.waitingMax ?? WAITING_MAX)) return;
    this.#waiting.shift();
    if (!this.#hasLost) this.#deps.onLoss();
    this.#hasLost = true;
  }
}

function isSamples({ message }: ThreadMessage): boolean {
  return message !== "gone" && message.kind === "samples";
}

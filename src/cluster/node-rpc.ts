import type { Bus, BusMessage } from "../control/ports/bus.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import { subjectsOf } from "./node-report.ts";

type Answer = (message: BusMessage) => Promise<BusMessage | undefined>;

/** The reply to a question that this program does not know: a newer node asked. */
const UNKNOWN = { isUnknown: true };

/** Whether the node that replied does not know what it was asked. */
export function isUnknownWord(reply: BusMessage): boolean {
  return reply["isUnknown"] === true;
}

/**
 * The questions that other nodes ask this one, by their word: the field `op` of the request. A word that it does not know, and
 * a question that is not understood, get a reply that says so: a newer node does not wait.
 */
export class NodeRpc {
  readonly #answers = new Map<string, Answer>();
  readonly #stop: () => void;

  constructor(bus: Bus, self: Incarnation) {
    this.#stop = bus.serve(subjectsOf(self).rpc, async (message) => {
      const { op } = message;
      const answer = typeof op === "string" ? this.#answers.get(op) : undefined;
      return (await answer?.(message)) ?? UNKNOWN;
    });
  }

  /** Sets what answers the questions of this word. */
  on(op: string, answer: Answer): void {
    this.#answers.set(op, answer);
  }

  stop(): void {
    this.#stop();
  }
}

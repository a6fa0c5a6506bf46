import type { Bus, BusMessage } from "../control/ports/bus.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import { subjectsOf } from "./node-report.ts";

type Answer = (message: BusMessage) => Promise<BusMessage | undefined>;

/** The questions that other nodes ask this one, by their word: the field `op` of the request. Unknown words get no reply. */
export class NodeRpc {
  readonly #answers = new Map<string, Answer>();
  readonly #stop: () => void;

  constructor(bus: Bus, self: Incarnation) {
    this.#stop = bus.serve(subjectsOf(self).rpc, async (message) => {
      const { op } = message;
      return typeof op === "string" ? await this.#answers.get(op)?.(message) : undefined;
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

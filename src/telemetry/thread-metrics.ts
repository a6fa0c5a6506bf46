import { Counter, Gauge, type Registry } from "prom-client";
import type { LoopDelay } from "../thread-protocol/loop-delay.ts";

/** The metrics of the threads themselves. */
export class ThreadMetrics {
  readonly #loopDelay: Gauge<"thread" | "quantile">;
  readonly #loopLoad: Gauge<"thread">;
  readonly #directSockets: Gauge<"thread">;
  readonly #remoteConnection: Counter<"what">;
  readonly #remotePublisherWaits: Counter<"thread">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#loopDelay = new Gauge({
      name: "fanfare_event_loop_delay_seconds",
      help: "How late the thread's event loop was.",
      labelNames: ["thread", "quantile"],
      registers,
    });
    // Whose label is a quantile is a summary. The package's own would count what was counted already.
    Object.assign(this.#loopDelay, { type: "summary" });
    this.#loopLoad = new Gauge({
      name: "fanfare_event_loop_load",
      help: "The share of its time in which the thread was busy.",
      labelNames: ["thread"],
      registers,
    });
    this.#directSockets = new Gauge({
      name: "fanfare_direct_sockets",
      help: "Connections that the thread reads or writes by direct system calls.",
      labelNames: ["thread"],
      registers,
    });
    this.#remoteConnection = new Counter({
      name: "fanfare_handed_over_total",
      help: "Encoders and players whose connection is in another media thread than their channel.",
      labelNames: ["what"],
      registers,
    });
    this.#remotePublisherWaits = new Counter({
      name: "fanfare_hand_over_waits_total",
      help: "Times an encoder was not read because its channel's media thread was behind.",
      labelNames: ["thread"],
      registers,
    });
  }

  /** `thread`: `control`, or a media thread's name. */
  loopDelay(thread: string, { median, p99, max, load }: LoopDelay): void {
    this.#loopLoad.set({ thread }, load);
    this.#loopDelay.set({ thread, quantile: "0.5" }, median);
    this.#loopDelay.set({ thread, quantile: "0.99" }, p99);
    this.#loopDelay.set({ thread, quantile: "1" }, max);
  }

  directSockets(thread: string, count: number): void {
    this.#directSockets.set({ thread }, count);
  }

  /** An encoder or a player came to another media thread than its channel's. */
  remoteConnection(what: "encoder" | "player"): void {
    this.#remoteConnection.inc({ what });
  }

  /** An encoder of this thread was not read for a while, because the thread that owns its channel was behind. */
  remotePublisherWaits(thread: string): void {
    this.#remotePublisherWaits.inc({ thread });
  }
}

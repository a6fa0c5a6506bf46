import { Counter, type Registry } from "prom-client";
import type { ServerFact } from "../control/facts/server-fact.ts";

/** The metrics of schedules. */
export class ScheduleMetrics {
  readonly #starts: Counter<"result">;

  constructor(registry: Registry) {
    this.#starts = new Counter({
      name: "fanfare_scheduled_starts_total",
      help: "Starts of schedules that were due, by what became of them.",
      labelNames: ["result"],
      registers: [registry],
    });
  }

  fact(fact: ServerFact): void {
    if (fact.kind === "schedule-ran") this.#starts.inc({ result: fact.reason ?? "started" });
  }
}

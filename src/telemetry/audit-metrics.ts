import { Counter, Gauge, type Registry } from "prom-client";

/** The metrics of the audit (who changed what). */
export class AuditMetrics {
  readonly #records: Counter<never>;
  readonly #failures: Counter<"result">;
  readonly #waiting: Gauge<never>;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#records = new Counter({
      name: "fanfare_audit_records_total",
      help: "Changes that the audit has a record of.",
      registers,
    });
    this.#failures = new Counter({
      name: "fanfare_audit_failures_total",
      help: "Records that the database did not take: tried again later (waited), or given up (lost).",
      labelNames: ["result"],
      registers,
    });
    this.#waiting = new Gauge({
      name: "fanfare_audit_waiting",
      help: "Records that wait for the database.",
      registers,
    });
    for (const result of ["waited", "lost"]) this.#failures.inc({ result }, 0);
  }

  stored(): void {
    this.#records.inc();
  }

  /** A record could not be stored now, and waits. */
  waited(): void {
    this.#failures.inc({ result: "waited" });
  }

  /** Records that are given up. */
  lost(count: number): void {
    this.#failures.inc({ result: "lost" }, count);
  }

  /** How many records wait at present. */
  waiting(count: number): void {
    this.#waiting.set(count);
  }
}

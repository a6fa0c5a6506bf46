import { Counter, Gauge, Histogram, type Registry } from "prom-client";

/** Times of a claim and of a question, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
const NODE_STATES = ["SERVING", "DRAINING", "SILENT", "LOST"] as const;

/** What is read when the metrics are. */
export type ClusterReading = {
  /** The state of each node of the cluster, this one included. */
  readonly nodeStates: readonly (typeof NODE_STATES)[number][];
  readonly channels: number;
  readonly egressBytesPerSecond: number;
  /** Absent where no capacity is set. */
  readonly capacityBytesPerSecond?: number;
  readonly isBusUp: boolean;
  readonly isDatabaseUp: boolean;
  /** Since when the ownerships agree with the database. */
  readonly reconcileAgeSeconds: number;
  /** The oldest of what is known of living nodes. */
  readonly projectionAgeSeconds: number;
};

/** The metrics of a node among several. A single server has none of them. */
export class ClusterMetrics {
  readonly #claims = new Counter({
    name: "fanfare_cluster_claims_total",
    help: "Visitors for channels that this node did not carry, by outcome.",
    labelNames: ["result"],
    registers: [],
  });
  readonly #claimSeconds = new Histogram({
    name: "fanfare_cluster_claim_seconds",
    help: "Time until such a visitor was placed.",
    buckets: BUCKETS,
    registers: [],
  });
  readonly #takeovers = counter(
    "fanfare_cluster_takeovers_total",
    "Channels claimed from a node that had not released them.",
  );
  readonly #silent = new Counter({
    name: "fanfare_cluster_owner_silent_total",
    help: "Owners that were replaced because they did not answer in time, or because their host was silent.",
    labelNames: ["what"],
    registers: [],
  });
  readonly #fenced = new Counter({
    name: "fanfare_cluster_fenced_total",
    help: "Channels that this node stopped because another owns them, by where it learned that.",
    labelNames: ["by"],
    registers: [],
  });
  readonly #questions = new Histogram({
    name: "fanfare_cluster_question_seconds",
    help: "Round trip of a question to the owner of a channel, by way.",
    labelNames: ["way"],
    buckets: BUCKETS,
    registers: [],
  });
  readonly #nodes = new Gauge({
    name: "fanfare_cluster_nodes",
    help: "Nodes of the cluster as this one sees them, by state.",
    labelNames: ["state"],
    registers: [],
  });
  readonly #channels = gauge("fanfare_cluster_channels", "Channels that this node owns.");
  readonly #egress = gauge("fanfare_cluster_egress_bytes_per_second", "What this node sends to platforms.");
  readonly #capacity = gauge("fanfare_cluster_capacity_bytes_per_second", "What this node is meant to send at most.");
  readonly #bus = gauge("fanfare_cluster_bus_up", "1 while this node is connected to NATS, else 0.");
  readonly #database = gauge("fanfare_cluster_database_up", "1 while PostgreSQL answers this node, else 0.");
  readonly #reconcile = gauge(
    "fanfare_cluster_reconcile_age_seconds",
    "Since the ownerships were compared with the database.",
  );
  readonly #projection = gauge(
    "fanfare_cluster_projection_age_seconds",
    "The oldest of what is known of living nodes.",
  );
  #read: (() => ClusterReading) | undefined;

  /** Adds the metrics to a registry. */
  register(registry: Registry): void {
    const gauges = [this.#nodes, this.#channels, this.#egress, this.#bus, this.#database, this.#reconcile];
    for (const metric of [...gauges, this.#projection]) registry.registerMetric(metric);
    for (const metric of [this.#takeovers, this.#silent]) registry.registerMetric(metric);
    // Prometheus sees no increase from a series that is not there to one.
    for (const what of ["owner", "host"] as const) this.#silent.inc({ what }, 0);
    registry.registerMetric(this.#claims);
    registry.registerMetric(this.#fenced);
    registry.registerMetric(this.#claimSeconds);
    registry.registerMetric(this.#questions);
    if (this.#read?.().capacityBytesPerSecond !== undefined) registry.registerMetric(this.#capacity);
  }

  /** Sets where the gauges come from. Call it before `register`. */
  readFrom(read: () => ClusterReading): void {
    this.#read = read;
  }

  /** Sets the gauges, for a scrape. */
  fill(): void {
    const reading = this.#read?.();
    if (reading === undefined) return;
    for (const state of NODE_STATES) {
      this.#nodes.set({ state }, reading.nodeStates.filter((each) => each === state).length);
    }
    this.#channels.set(reading.channels);
    this.#egress.set(reading.egressBytesPerSecond);
    this.#capacity.set(reading.capacityBytesPerSecond ?? 0);
    this.#bus.set(reading.isBusUp ? 1 : 0);
    this.#database.set(reading.isDatabaseUp ? 1 : 0);
    this.#reconcile.set(reading.reconcileAgeSeconds);
    this.#projection.set(reading.projectionAgeSeconds);
  }

  placed(result: string, seconds: number): void {
    this.#claims.inc({ result: result.replaceAll("-", "_") });
    this.#claimSeconds.observe(seconds);
  }

  tookOver(): void {
    this.#takeovers.inc();
  }

  ownerSilent(what: "owner" | "host"): void {
    this.#silent.inc({ what });
  }

  answered(way: string, seconds: number): void {
    this.#questions.observe({ way }, seconds);
  }

  fenced(by: string): void {
    this.#fenced.inc({ by });
  }
}

function counter(name: string, help: string): Counter<never> {
  return new Counter({ name, help, registers: [] });
}

function gauge(name: string, help: string): Gauge<never> {
  return new Gauge({ name, help, registers: [] });
}

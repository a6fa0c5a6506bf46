import { Counter, Gauge, type Registry } from "prom-client";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { SrtLinkSample } from "../thread-protocol/samples.ts";

const LABELS = ["channel_id"] as const;

/** The series of encoders that publish over SRT. They exist while such an encoder is on air. */
export class SrtMetrics {
  readonly #rtt: Gauge<"channel_id">;
  readonly #latency: Gauge<"channel_id">;
  readonly #rate: Gauge<"channel_id">;
  readonly #packets: Counter<"channel_id" | "what">;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#rtt = new Gauge({
      name: "fanfare_ingest_srt_round_trip_seconds",
      help: "Round trip to an encoder over SRT.",
      labelNames: LABELS,
      registers,
    });
    this.#latency = new Gauge({
      name: "fanfare_ingest_srt_latency_seconds",
      help: "How long a packet lost over SRT is waited for.",
      labelNames: LABELS,
      registers,
    });
    this.#rate = new Gauge({
      name: "fanfare_ingest_srt_bytes_per_second",
      help: "What comes from an encoder over SRT, headers and repeated packets included.",
      labelNames: LABELS,
      registers,
    });
    this.#packets = new Counter({
      name: "fanfare_ingest_srt_packets_total",
      help: "Packets of the present encoder over SRT, by what happened to them.",
      labelNames: [...LABELS, "what"],
      registers,
    });
  }

  reset(): void {
    for (const metric of [this.#rtt, this.#latency, this.#rate, this.#packets]) metric.reset();
  }

  fill(channelId: ChannelId, link: SrtLinkSample): void {
    const labels = { channel_id: channelId };
    if (link.rttMs !== undefined) this.#rtt.set(labels, link.rttMs / 1_000);
    this.#latency.set(labels, link.latencyMs / 1_000);
    this.#rate.set(labels, link.bytesPerSecond);
    const { packets: received, lost, retransmitted, dropped, belated, undecrypted } = link;
    for (const [what, count] of Object.entries({ received, lost, retransmitted, dropped, belated, undecrypted }))
      this.#packets.inc({ ...labels, what }, count);
  }
}

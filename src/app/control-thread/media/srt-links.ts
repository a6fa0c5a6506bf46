import type { Clock } from "../../../base/clock.ts";
import type { ChannelSample, SrtLinkSample } from "../../../thread-protocol/samples.ts";

/** A link that was not reported for so long is gone: reports come once a second. */
const GONE_AFTER_MS = 3_000;

type Entry = { readonly link: SrtLinkSample; readonly atMs: number };

/**
 * Joins what is known of encoders' SRT connections to their channels' samples. The thread with the connection and the
 * thread with the channel may be two.
 */
export class SrtLinks {
  readonly #clock: Pick<Clock, "now">;
  readonly #entries = new Map<string, Entry>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  take(links: readonly SrtLinkSample[]): void {
    const atMs = this.#clock.now();
    for (const [name, entry] of this.#entries) if (atMs - entry.atMs > GONE_AFTER_MS) this.#entries.delete(name);
    for (const link of links) this.#entries.set(`${link.channelId} ${link.slot}`, { link, atMs });
  }

  joinedTo(samples: readonly ChannelSample[]): readonly ChannelSample[] {
    if (this.#entries.size === 0) return samples;
    return samples.map((sample) => {
      const { channelId, ingest } = sample;
      const entry = this.#entries.get(`${channelId} ${ingest.slot}`);
      const isPresent = entry !== undefined && this.#clock.now() - entry.atMs <= GONE_AFTER_MS;
      return isPresent && ingest.state === "LIVE" ? { ...sample, ingest: { ...ingest, srt: entry.link } } : sample;
    });
  }
}

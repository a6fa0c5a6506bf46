import type { Ingest } from "../../base/model.ts";
import { formatNumber, formatRate } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";

/** What is known of an encoder's connection over SRT. */
export function SrtLink({ srt }: { readonly srt: NonNullable<Ingest["srt"]> }) {
  const words = panelTexts().srt;
  const facts: readonly (readonly [string, string])[] = [
    [words.link, srt.encrypted ? words.encrypted : words.clear],
    [words.roundTrip, srt.roundTripMs === undefined ? "–" : `${Math.round(srt.roundTripMs)} ms`],
    [words.latency, `${srt.latencyMs} ms`],
    [words.loss, `${formatNumber(srt.lossPercent, 2)} %`],
    [words.retransmitted, formatNumber(srt.retransmitted)],
    [words.dropped, formatNumber(srt.dropped)],
    [words.belated, formatNumber(srt.belated)],
    [words.bandwidth, formatRate(srt.bytesPerSecond)],
  ];
  return (
    <dl class="figures">
      {facts.map(([name, value]) => (
        <div key={name} class="figure">
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

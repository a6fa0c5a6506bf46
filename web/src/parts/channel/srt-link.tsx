import type { Ingest } from "../../base/model.ts";
import { formatRate } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";

/** What is known of an encoder's connection over SRT. */
export function SrtLink({ srt }: { readonly srt: NonNullable<Ingest["srt"]> }) {
  const words = panelTexts().srt;
  const facts: readonly (readonly [string, string])[] = [
    [words.link, srt.encrypted ? words.encrypted : words.clear],
    [words.roundTrip, srt.roundTripMs === undefined ? "–" : `${Math.round(srt.roundTripMs)} ms`],
    [words.latency, `${srt.latencyMs} ms`],
    [words.loss, `${srt.lossPercent} %`],
    [words.retransmitted, String(srt.retransmitted)],
    [words.dropped, String(srt.dropped)],
    [words.belated, String(srt.belated)],
    [words.bandwidth, formatRate(srt.bytesPerSecond)],
  ];
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

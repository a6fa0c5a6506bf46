import type { Ingest } from "../../base/model.ts";
import type { LiveChannel } from "../../live/store.ts";
import { formatBytes, formatRate } from "../../text/format.ts";
import { language, t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { lazy, PicturePlace } from "../basic/lazy.tsx";
import { IngestChart } from "./ingest-chart.tsx";
import { audioText, videoText } from "./media-words.ts";

const SrtLink = lazy(async () => (await import("./srt-link.tsx")).SrtLink);
const loadPreview = async () => (await import("../video/preview.tsx")).Preview;
const Preview = lazy(loadPreview, { Meanwhile: PreviewPlace });

/** The place of a preview that is closed: its last frame and a button. */
function PreviewPlace() {
  return (
    <div class="preview preview-place">
      <PicturePlace />
    </div>
  );
}

/** The incoming stream and what is wrong with it. */
export function IngestCard({ live }: { readonly live: LiveChannel }) {
  const channel = live.channel.value;
  const { ingest } = channel;
  if (ingest === undefined) return null;
  const isTest = ingest.testPattern !== undefined;
  const facts: readonly (readonly [string, string])[] = [
    // These two are known a second after the others, and have their place from the beginning.
    [t().encoder.video, videoText(ingest) || "–"],
    [t().encoder.audio, audioText(ingest) || "–"],
    [t().encoder.encoder, isTest ? t().testPattern.name : ingest.encoder],
    [t().encoder.sourceIp, isTest ? "" : ingest.remoteAddress],
    [t().encoder.input, channel.backup.enabled && !isTest ? t().encoder.inputs[ingest.source] : ""],
    [t().encoder.received, formatBytes(live.counted.value.ingest?.bytesTotal ?? ingest.bytesTotal)],
  ];
  return (
    <section class="panel" aria-labelledby="ingest-title">
      <div class="panel-head">
        <h2 id="ingest-title">{t().encoder.incoming}</h2>
        <RateNow live={live} />
      </div>
      <IngestChart live={live} />
      <Preview channel={channel} />
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      {ingest.srt !== undefined && <SrtLink srt={ingest.srt} />}
      {ingest.state === "LIVE" && !isTest && <StreamCheck ingest={ingest} />}
    </section>
  );
}

/** What the server found in the incoming stream. In an encoder's first seconds, nothing found means nothing yet. */
function StreamCheck({ ingest }: { readonly ingest: Ingest }) {
  const { checkState, warnings } = ingest;
  return (
    <>
      <h3 class="warnings-title">{t().encoder.check}</h3>
      {checkState === "checking" && (
        <p class="quiet" role="status">
          <Icon name="spinner" /> {t().encoder.checking}
        </p>
      )}
      {checkState === "done" && warnings.length === 0 && <p class="quiet">{t().encoder.noProblems}</p>}
      <ul class="warnings">
        {warnings.map(({ code, severity, message, messageKo, platId }) => (
          <li key={`${code} ${platId ?? ""}`} class={severity === "error" ? "tone-bad" : "tone-busy"}>
            <Icon name="alert" /> <span>{language.value === "ko" ? messageKo : message}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function RateNow({ live }: { readonly live: LiveChannel }) {
  const last = live.samples.value.at(-1);
  return <b class="rate-now">{last === undefined ? "–" : formatRate(last.ingest.bytesPerSecond)}</b>;
}

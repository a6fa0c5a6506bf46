import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Channel, Ingest } from "../../base/model.ts";
import type { LiveChannel } from "../../live/store.ts";
import { formatBytes, formatRate } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { lazy, PicturePlace, PreviewPlace } from "../basic/lazy.tsx";
import { noteText } from "../basic/notice.tsx";
import { verdictLook } from "../basic/state.tsx";
import { IngestChart } from "./ingest-chart.tsx";
import { audioText, videoText } from "./media-words.ts";

const StartTestPattern = lazy(async () => (await import("../sources/start-test-pattern.tsx")).StartTestPattern);
const SrtLink = lazy(async () => (await import("./srt-link.tsx")).SrtLink);
const loadPreview = async () => (await import("../video/preview.tsx")).Preview;
const Preview = lazy(loadPreview, { Meanwhile: PreviewPlace });

type IngestCardOptions = {
  readonly live: LiveChannel;
  /** What is in its place until the stream comes. */
  readonly children: ComponentChildren;
};

/** The incoming stream and what is wrong with it. */
export function IngestCard({ live, children }: IngestCardOptions) {
  const channel = live.channel.value;
  const ingest = channel.isPublishing ? channel.ingest : undefined;
  return (
    <section class="panel" aria-labelledby="ingest-title">
      <div class="panel-head">
        <h2 id="ingest-title">{t().encoder.incoming}</h2>
        <RateNow live={live} />
      </div>
      {ingest === undefined ? <NoStream channel={channel} /> : <Preview channel={channel} />}
      <div class={channel.srtUrl === undefined ? "stream" : "stream with-srt"}>
        {ingest === undefined ? children : <Stream live={live} ingest={ingest} />}
      </div>
    </section>
  );
}

/** The place of the preview before an encoder comes, with the way to send something without one. */
function NoStream({ channel }: { readonly channel: Channel }) {
  const isTestAsked = useSignal(false);
  return (
    <div class="preview">
      <PicturePlace>{verdictLook(channel.health).word}</PicturePlace>
      <div class="preview-below">
        <button type="button" disabled={channel.channelStatus === "BLOCK"} onClick={() => (isTestAsked.value = true)}>
          {t().testPattern.start}
        </button>
      </div>
      {isTestAsked.value && <StartTestPattern channel={channel} onClose={() => (isTestAsked.value = false)} />}
    </div>
  );
}

function Stream({ live, ingest }: { readonly live: LiveChannel; readonly ingest: Ingest }) {
  const channel = live.channel.value;
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
    <>
      <IngestChart live={live} />
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
    </>
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
        {warnings.map(({ code, severity, platId, ...note }) => (
          <li key={`${code} ${platId ?? ""}`} class={severity === "error" ? "tone-bad" : "tone-busy"}>
            <Icon name="alert" /> <span>{noteText(note)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function RateNow({ live }: { readonly live: LiveChannel }) {
  const last = live.channel.value.isPublishing ? live.samples.value.at(-1) : undefined;
  return <b class="rate-now">{last === undefined ? "–" : formatRate(last.ingest.bytesPerSecond)}</b>;
}

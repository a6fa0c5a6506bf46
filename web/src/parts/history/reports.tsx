import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { reasonText } from "../../../../src/api-contract/words/event-sentences.ts";
import { datedFileName } from "../../../../src/api-contract/words/file-name.ts";
import { api, page } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import type { Channel, Report } from "../../base/model.ts";
import { returns } from "../../live/store.ts";
import { dropsText } from "../../text/drops-text.ts";
import { formatBytes, formatDateTime, formatDuration, formatNumber, formatTime } from "../../text/format.ts";
import { refusedText } from "../../text/refused-text.ts";
import { language, t } from "../../text/text.ts";
import { useReading } from "../lists/reading.ts";
import { recordedTargetName } from "./recorded-target-name.ts";

const REPORTS_SHOWN = 5;
/** A report is stored a moment after its broadcast ended, on a busy server some seconds: when the list is read again, in milliseconds. */
const REREADS_MS = [2_000, 10_000] as const;

/** The reports of the last broadcasts, read again when one begins or ends. */
export function Reports({ channel }: { readonly channel: Channel }) {
  const reports = useSignal<readonly Report[]>([]);
  const { channelId, isPublishing } = channel;
  const params = { path: { channelId }, query: { pageSizeNo: REPORTS_SHOWN } };
  const [readList] = useReading(
    () => page(api.GET("/re-stream/channels/{channelId}/reports", { params })),
    ({ items }) => (reports.value = items),
  );
  useEffect(() => {
    const read = (): void => void readList().catch(() => undefined);
    read();
    const timers = isPublishing ? [] : REREADS_MS.map((delayMs) => setTimeout(read, delayMs));
    return () => timers.forEach(clearTimeout);
  }, [channelId, isPublishing, returns.value]);
  return (
    <section class="panel" aria-labelledby="reports-title">
      <div class="panel-head">
        <h2 id="reports-title">{t().report.title}</h2>
      </div>
      {reports.value.length === 0 && <p class="quiet">{t().report.none}</p>}
      {reports.value.map((report, index) => (
        <details key={report.startTime} class="report" open={index === 0}>
          <summary>
            {formatDateTime(report.startTime)} · {report.testPattern === true && `${t().report.test} · `}
            {t().report.duration} {formatDuration(report.durationSeconds)} · {reasonText(t(), report.reason)}
          </summary>
          {report.interruptionCount > 0 && (
            <p class="quiet">
              {t().report.interruptions}: {interruptionsText(report)}
            </p>
          )}
          <ReportTable report={report} channel={channel} />
          <RefusedDuring report={report} />
          <ReportLinks report={report} channel={channel} />
        </details>
      ))}
    </section>
  );
}

function interruptionsText({
  interruptions,
  interruptionCount,
}: Pick<Report, "interruptions" | "interruptionCount">): string {
  if (interruptionCount === 0) return t().report.noInterruptions;
  const listed = interruptions.map(
    ({ time, durationSeconds, reason }) =>
      `${formatTime(time)} ${reasonText(t(), reason)} (${formatDuration(durationSeconds)})`,
  );
  const unlisted = interruptionCount - interruptions.length;
  return [...listed, ...(unlisted > 0 ? [`+${formatNumber(unlisted)}`] : [])].join("; ");
}

/** The encoders that were rejected during the broadcast. */
function RefusedDuring({ report: { refusedEncoders = [] } }: { readonly report: Report }) {
  if (refusedEncoders.length === 0) return null;
  return (
    <>
      <h3>{t().refused.title}</h3>
      <ul class="warnings">
        {refusedEncoders.map((one) => (
          <li key={`${one.remoteAddress} ${one.reason}`}>{refusedText(one, formatTime)}</li>
        ))}
      </ul>
    </>
  );
}

/** Links to the whole report, with events and history, as files and as a page to print. */
function ReportLinks({ report, channel }: { readonly report: Report; readonly channel: Channel }) {
  const path = at(`/api/v2/re-stream/channels/${encodeURIComponent(channel.channelId)}/reports/${report.startTime}`);
  const file = datedFileName(channel.channelName, report.startTime);
  // The files that people read are in the page's language and in this browser's time zone.
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const reader = `lang=${language.value}&timeZone=${encodeURIComponent(timeZone)}`;
  return (
    <p class="report-links">
      <a href={path} download={`${file}.json`}>
        {t().events.export("JSON")}
      </a>
      <a href={`${path}?format=csv&${reader}`} download={`${file}.csv`}>
        {t().events.export("CSV")}
      </a>
      <a href={`${path}?format=html&${reader}`} target="_blank" rel="noreferrer">
        {t().report.printable}
      </a>
    </p>
  );
}

function ReportTable({ report, channel }: { readonly report: Report; readonly channel: Channel }) {
  const texts = t();
  const headings = [
    texts.platform.targetName,
    texts.platform.playTime,
    texts.platform.sent,
    texts.platform.drops,
    texts.report.interruptions,
  ];
  return (
    <div class="table-place">
      <table>
        <thead>
          <tr>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {report.platforms.map((platform) => (
            <tr key={platform.platId}>
              <th scope="row">{recordedTargetName(platform, channel)}</th>
              <td data-label={headings[1]}>
                {platform.onAirSeconds > 0 ? formatDuration(platform.onAirSeconds) : texts.report.neverOnAir}
              </td>
              <td data-label={headings[2]}>{formatBytes(platform.bytesSent)}</td>
              <td data-label={headings[3]}>{dropsText(platform.droppedFrames, platform.droppedFramesByCause)}</td>
              <td data-label={headings[4]}>{interruptionsText(platform)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

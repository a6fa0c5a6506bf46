import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { channelPath, list } from "../api.ts";
import type { Channel, ChannelEvent } from "../model.ts";
import { platformName } from "../presets.ts";
import { type Report, reportsOf } from "../reports.ts";
import { formatDateTime, formatDuration, formatTime } from "../text/format.ts";
import { t } from "../text/text.ts";

/** Events that are read for the reports: the newest. */
const EVENTS_READ = 100;
const REPORTS_SHOWN = 5;

/** What became of the last broadcasts; read again when one ends. */
export function Reports({ channel }: { readonly channel: Channel }) {
  const reports = useSignal<readonly Report[]>([]);
  const { channelId, isPublishing } = channel;
  useEffect(() => {
    list<ChannelEvent>(`${channelPath(channelId)}/events?pageSizeNo=${EVENTS_READ}`)
      .then(({ items }) => {
        reports.value = reportsOf(items).slice(0, REPORTS_SHOWN);
      })
      .catch(() => undefined);
  }, [channelId, isPublishing]);
  return (
    <section class="panel" aria-labelledby="reports-title">
      <div class="panel-head">
        <h2 id="reports-title">{t().report.title}</h2>
      </div>
      {reports.value.length === 0 && <p class="quiet">{t().report.none}</p>}
      {reports.value.map((report, index) => (
        <details key={report.startTime} class="report" open={index === 0}>
          <summary>
            {formatDateTime(report.startTime)} · {t().report.duration}{" "}
            {formatDuration((report.endTime - report.startTime) / 1_000)}
          </summary>
          <ReportTable report={report} channel={channel} />
        </details>
      ))}
    </section>
  );
}

function ReportTable({ report, channel }: { readonly report: Report; readonly channel: Channel }) {
  const errors: Readonly<Record<string, string>> = t().errors;
  const nameOf = (id: number): string => {
    const platform = channel.platforms.find(({ platId }) => platId === id);
    return platform === undefined ? `#${id}` : platformName(platform);
  };
  return (
    <div class="table-place">
      <table>
        <thead>
          <tr>
            <th scope="col">{t().platform.targetName}</th>
            <th scope="col">{t().report.timeOnAir}</th>
            <th scope="col">{t().report.interruptions}</th>
          </tr>
        </thead>
        <tbody>
          {report.platforms.map(({ platId, onAirSeconds, interruptions }) => (
            <tr key={platId}>
              <th scope="row">{nameOf(platId)}</th>
              <td>{formatDuration(onAirSeconds)}</td>
              <td>
                {interruptions.length === 0
                  ? t().report.noInterruptions
                  : interruptions
                      .map(({ time, reason }) => `${formatTime(time)} ${errors[reason] ?? reason}`)
                      .join("; ")}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

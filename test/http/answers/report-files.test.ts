import { afterEach, beforeEach, expect, test } from "vitest";
import type { FinishedReport } from "../../../src/control/reports/reports.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { Api, CHANNELS, MANAGER, PLATFORM, service } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const DROPS = { overTime: 1, overBytes: 0, untilKeyframe: 2 };

/**
 * A broadcast of three seconds to one platform, stored as the server does; the label is hostile to tables and pages.
 */
async function broadcast(): Promise<{ readonly channelId: string; readonly startTime: number; readonly url: string }> {
  const label = `=1+1"<b>`;
  const { channelId, restream } = await api.create({ restream: [{ ...PLATFORM, label }] });
  const [{ platId }] = restream;
  await api.events.written(1);
  api.clock.advance(1_000);
  const startTime = api.clock.wallMs;
  const encoder = {
    ingestId: 1,
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "x",
    isBroadcastNew: true,
  } as const;
  api.events.history.fact({ kind: "ingest-started", time: startTime, channelId, ...encoder });
  for (let second = 0; second < 3; second += 1) {
    api.clock.advance(1_000);
    const sample = channelSample(channelId, [targetSample(platId, { bytesPerSecond: 500_000, queueMs: 7 })]);
    api.events.history.samples([{ ...sample, ingest: { ...sample.ingest, bytesPerSecond: 1_000_000 } }]);
  }
  await api.put(`${CHANNELS}/${channelId}`, { channelName: "renamed_1" });
  await api.events.written(2);
  const report: FinishedReport = {
    ...{ channelId, startTime, endTime: startTime + 3_000, end: "clean" },
    interruptions: { list: [{ time: startTime + 1_000, durationMs: 500, reason: "connection-lost" }], count: 1 },
    refused: [
      {
        ...{ remoteAddress: "192.0.2.7", reason: "unknown-key", count: 3 },
        ...{ firstTime: startTime + 100, lastTime: startTime + 2_000 },
      },
    ],
    targets: [
      {
        ...{ targetId: platId, targetName: "YOUTUBE", label, onAirMs: 2_900, bytes: 5_000_000, retryCount: 1 },
        ...{ drops: DROPS, interruptions: { list: [], count: 0 } },
      },
    ],
  };
  await api.events.reports.putReports([report]);
  return { channelId, startTime, url: `${CHANNELS}/${channelId}/reports/${startTime}` };
}

/** The page without the headings that its cells have for narrow windows. */
const cellsOf = (body: string): string => body.replaceAll(/ data-head="[^"]*"/g, "");

/** A moment as it stands in a file's name. */
const fileTime = (time: number): string => new Date(time).toISOString().slice(0, 19).replaceAll(":", "");

async function file(url: string) {
  const { statusCode, headers, body } = await api.server.inject({
    method: "GET",
    url,
    headers: api.signedHeaders("GET", url),
  });
  return { status: statusCode, headers, body };
}

test("one report has the events of its broadcast and its history", async () => {
  const { channelId, startTime, url } = await broadcast();
  const { status, body } = await api.get(url);
  expect(status).toBe(200);
  const { events, history, ...rest } = body.content;
  const list = await api.get(`${CHANNELS}/${channelId}/reports`);
  expect(rest).toEqual(list.body.content[0]);
  expect(rest.refusedEncoders).toEqual([
    {
      ...{ remoteAddress: "192.0.2.7", reason: "unknown-key", count: 3 },
      ...{ firstTime: startTime + 100, lastTime: startTime + 2_000 },
    },
  ]);
  // The channel was created before.
  expect(events.map(({ reason }: { reason: string }) => reason)).toEqual(["renamed"]);
  expect(history).toMatchObject({
    ...{ channelId, fromTime: startTime, toTime: startTime + 3_000, stepSeconds: 1 },
    ingest: { bytesPerSecond: [null, 1_000_000, 1_000_000, 1_000_000] },
    platforms: [{ bytesPerSecond: [null, 500_000, 500_000, 500_000] }],
  });
});

test("as CSV it is a table of the history in which no program finds formulas", async () => {
  const { channelId, startTime, url } = await broadcast();
  const { status, headers, body } = await file(`${url}?format=csv`);
  expect([status, headers["content-type"]]).toEqual([200, "text/csv;charset=utf-8"]);
  expect(headers["content-disposition"]).toBe(
    `attachment; filename="${channelId}-${startTime}.csv"; filename*=UTF-8''renamed_1-${fileTime(startTime)}.csv`,
  );
  const platform = `"'=1+1""<b> (1)`;
  const time = (second: number) => new Date(startTime + second * 1_000).toISOString().slice(0, 19).replace("T", " ");
  expect(body.split("\r\n")).toEqual([
    `\uFEFFtime (UTC),ingest kbit/s,${["kbit/s", "queue ms", "dropped frames", "retries"].map((what) => `${platform} ${what}"`).join(",")}`,
    `${time(0)},,,,,`,
    `${time(1)},8000,4000,7,0,0`,
    `${time(2)},8000,4000,7,0,0`,
    `${time(3)},8000,4000,7,0,0`,
    "",
  ]);
});

test("as a page it needs nothing else, runs nothing, and shows names unchanged", async () => {
  const { url } = await broadcast();
  const { status, headers, body } = await file(`${url}?format=html`);
  expect([status, headers["content-type"]]).toEqual([200, "text/html;charset=utf-8"]);
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(body).not.toMatch(/<script|<img|<link|src=|href=|<b>/);
  expect(body).toContain("=1+1&quot;&lt;b&gt; (1)");
  expect(body).toContain('<path d="M300 10L600 10L900 10"');
  expect(body).toContain('<td data-head="Where">Encoder</td><td data-head="Duration">0:00:01</td>');
  expect(cellsOf(body)).toContain("<td>Encoder</td><td>0:00:01</td><td>encoder connection lost</td>");
  expect(cellsOf(body)).toContain("<td>192.0.2.7</td><td>3</td><td>wrong stream key</td>");
  expect(cellsOf(body)).toContain(`<td>Channel renamed</td><td>with access key ${MANAGER.accessKeyId}</td>`);
});

test("in Korean and a reader's time zone: headings, sentences and dates", async () => {
  const { startTime, url } = await broadcast();
  const page = await file(`${url}?format=html&lang=ko&timeZone=Asia%2FSeoul`);
  expect(page.body).toContain('<html lang="ko">');
  const seoul = { dateStyle: "medium", timeStyle: "medium", timeZone: "Asia/Seoul" } as const;
  expect(page.body).toContain(new Intl.DateTimeFormat("ko", seoul).format(startTime));
  expect(page.body).toContain("모든 시각은 Asia/Seoul 시간대 기준입니다.");
  expect(page.body).toContain("종료 사유: 인코더에서 방송 종료.");
  expect(cellsOf(page.body)).toContain("<td>인코더</td><td>0:00:01</td><td>인코더 연결 끊김</td>");
  expect(cellsOf(page.body)).toContain("<td>192.0.2.7</td><td>3</td><td>잘못된 스트림 키</td>");
  expect(cellsOf(page.body)).toContain(`<td>채널 이름이 변경되었습니다</td><td>액세스 키 ${MANAGER.accessKeyId}</td>`);
  // No sentence of the page is left in English.
  expect(page.body.replace(/<style>.*?<\/style>|<[^>]*>/gs, " ")).not.toMatch(/encoder|platform|broadcast|channel /i);
  const table = await file(`${url}?format=csv&lang=ko&timeZone=Asia%2FSeoul`);
  expect(table.body.split("\r\n")[0]).toMatch(
    /^\uFEFF시각 \(Asia\/Seoul\),수신 kbit\/s,.*지연 ms.*드롭된 프레임.*재시도"$/,
  );
  expect(table.headers["content-disposition"]).toContain(
    `filename*=UTF-8''renamed_1-${fileTime(startTime + 9 * 3_600_000)}.csv`,
  );
});

test("a missing report, one of a running broadcast, and another form are refused", async () => {
  const { channelId, startTime, url } = await broadcast();
  const missing = await api.get(`${CHANNELS}/${channelId}/reports/${startTime + 1}`);
  expect([missing.status, missing.body]).toMatchObject([404, service(250004, "NOT_FOUND", "Report not found.")]);
  const running = { channelId, startTime: 5, endTime: 6, interruptions: { list: [], count: 0 }, targets: [] };
  await api.events.reports.putReports([running]);
  expect((await api.get(`${CHANNELS}/${channelId}/reports/5`)).status).toBe(404);
  expect((await api.get(`${CHANNELS}/${channelId}/reports/x`)).status).toBe(400);
  expect((await api.get(`${url}?format=pdf`)).status).toBe(400);
});

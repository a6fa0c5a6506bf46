import { expect, test } from "vitest";
import { SrtLinks } from "../../../src/app/control-thread/media/srt-links.ts";
import { ingestAnswer, ingestShape } from "../../../src/http/answers/ingest-answer.ts";
import { RecentLoss } from "../../../src/ingest/srt/recent-loss.ts";
import { Metrics } from "../../../src/telemetry/metrics.ts";
import type { SrtLinkSample } from "../../../src/thread-protocol/samples.ts";
import { channelSample } from "../../support/stages/sample.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const CHANNEL = "ls-20260101000001-AAAAA";
const LINK: SrtLinkSample = {
  ...{ channelId: CHANNEL, slot: "main", latencyMs: 300, isEncrypted: false, packets: 9_000, bytesPerSecond: 750_000 },
  ...{ lost: 90, retransmitted: 90, dropped: 0, belated: 0, undecrypted: 0, lossPercent: 1, droppedLately: 0 },
};

test("a link belongs to the sample of its channel and key, and is forgotten when it is not reported any more", async () => {
  const clock = new VirtualClock();
  const links = new SrtLinks(clock);
  const sample = channelSample(CHANNEL, []);
  const other = channelSample("ls-20260101000002-BBBBB", []);
  expect(links.joinedTo([sample])).toEqual([sample]);
  links.take([LINK]);
  expect(links.joinedTo([sample, other])).toEqual([{ ...sample, ingest: { ...sample.ingest, srt: LINK } }, other]);
  const backup = { ...sample, ingest: { ...sample.ingest, slot: "backup" as const } };
  const held = { ...sample, ingest: { ...sample.ingest, state: "HELD" as const } };
  expect(links.joinedTo([backup, held])).toEqual([backup, held]);
  await clock.advance(3_001);
  expect(links.joinedTo([sample])).toEqual([sample]);
});

test("the loss of the last ten seconds", () => {
  const recent = new RecentLoss();
  const totals = (received: number, lost: number, dropped: number) =>
    recent.tick({ received, lost, dropped, bytes: received * 100 });
  totals(0, 0, 0);
  expect([recent.lossPercent, recent.dropped]).toEqual([0, 0]);
  totals(950, 50, 7);
  expect([recent.lossPercent, recent.dropped, recent.bytesPerSecond]).toEqual([5, 7, 95_000]);
  for (let second = 1; second <= 10; second += 1) totals(950 + second * 1_000, 50, 7);
  expect([recent.lossPercent, recent.dropped]).toEqual([0, 0]);
});

test("the API and the metrics show an SRT connection, and a rounded change of it is a change", async () => {
  const sample = channelSample(CHANNEL, []);
  const joined = { ...sample, ingest: { ...sample.ingest, state: "LIVE" as const, srt: { ...LINK, rttMs: 41.26 } } };
  expect(ingestAnswer(joined.ingest, []).srt).toEqual({
    ...{ roundTripMs: 41.3, latencyMs: 300, encrypted: false, bytesPerSecond: 750_000, lossPercent: 1 },
    ...{ packets: 9_000, lost: 90, retransmitted: 90, dropped: 0, belated: 0, undecrypted: 0 },
  });
  const shape = (change: Partial<SrtLinkSample>) =>
    ingestShape({ ...joined.ingest, srt: { ...joined.ingest.srt, ...change } }, [], "done");
  expect(shape({ packets: 9_999, rttMs: 42 })).toBe(shape({}));
  expect(shape({ lossPercent: 4 })).not.toBe(shape({}));
  const metrics = new Metrics(() => "healthy");
  metrics.fact({
    ...{ kind: "ingest-started", time: 1, channelId: CHANNEL, ingestId: 1, slot: "main" },
    ...{ remoteAddress: "192.0.2.1", encoder: "SRT 1.5.1", isBroadcastNew: true },
  });
  metrics.samples([joined]);
  const text = await metrics.text();
  expect(text).toContain(`fanfare_ingest_srt_round_trip_seconds{channel_id="${CHANNEL}"} 0.04126`);
  expect(text).toContain(`fanfare_ingest_srt_bytes_per_second{channel_id="${CHANNEL}"} ${LINK.bytesPerSecond}`);
  expect(text).toContain(`fanfare_ingest_srt_packets_total{channel_id="${CHANNEL}",what="lost"} 90`);
  metrics.samples([sample]);
  expect(await metrics.text()).not.toContain(`fanfare_ingest_srt_round_trip_seconds{`);
});

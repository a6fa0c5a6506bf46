import { expect, test } from "vitest";
import type { ChannelLive, TargetLive } from "../../../src/control/ports/runtime.ts";
import { statXml } from "../../../src/http/server/stat-page.ts";
import type { TargetSample } from "../../../src/thread-protocol/samples.ts";
import type { ConnectStatus } from "../../../src/thread-protocol/targets/target-status.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";
import { Api } from "../api.ts";

function targetLive(targetId: number, status: ConnectStatus, counters: Partial<TargetSample>): TargetLive {
  return { status: { status, sinceTime: 1_000 }, sample: targetSample(targetId, counters) };
}

/** A broadcast. */
function live(more: Partial<ChannelLive> = {}): ChannelLive {
  return {
    isPublishing: true,
    startTime: 1_000,
    ingest: {
      ...channelSample("ls-1", []).ingest,
      ...{ bytesPerSecond: 750_000, bytesTotal: 9_000_000, width: 1280, height: 720, frameRate: 29.97 },
      ...{ videoCodec: "H264", audioCodec: "AAC <&>", sampleRate: 48_000, channels: 2 },
      measures: { videoBytesPerSecond: 730_000, audioBytesPerSecond: 20_000 },
    },
    targets: new Map([
      [1, targetLive(1, "PUBLISHING", { bytesPerSecond: 740_000, bytesTotal: 8_000_000 })],
      [2, targetLive(2, "FAIL", { bytesTotal: 5 })],
    ]),
    ...more,
  };
}
const valuesOf = (xml: string, name: string) =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, "g"))].map(([, value]) => value);

test("a stream on air has the elements that readers of nginx-rtmp look for, in bits a second", () => {
  const xml = statXml([{ channelId: "ls-1", live: live() }], 61_000);
  expect(xml).toContain("<server><application><name>relay</name><live><stream><name>ls-1</name><time>60000</time>");
  expect(valuesOf(xml, "bw_in")).toEqual(["6000000", "6000000"]);
  expect(valuesOf(xml, "bw_out")).toEqual(["5920000", "5920000"]);
  expect([valuesOf(xml, "bw_video"), valuesOf(xml, "bw_audio")]).toEqual([["5840000"], ["160000"]]);
  expect(xml).toContain(
    "<meta><video><width>1280</width><height>720</height><frame_rate>30</frame_rate><codec>H264</codec></video>",
  );
  expect(xml).toContain("<codec>AAC &lt;&amp;&gt;</codec>");
  expect(xml).toContain("<nclients>2</nclients><publishing/><active/></stream><nclients>1</nclients></live>");
});

test("a channel that is held stays, with a rate of 0: no reader takes it for the end", () => {
  const xml = statXml([{ channelId: "ls-1", live: live({ hold: { endTime: 1, limitTime: 2 } }) }], 61_000);
  expect(valuesOf(xml, "name")).toEqual(["relay", "ls-1"]);
  expect(valuesOf(xml, "bw_video")).toEqual(["0"]);
  expect(xml).toContain("<publishing/></stream>");
});

test("without streams the page has the same frame, and it is served beside /metrics", async () => {
  const api = await Api.open();
  const answer = await api.server.inject({ method: "GET", url: "/stat" });
  await api.close();
  expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "text/xml;charset=utf-8"]);
  expect(answer.body).toBe(
    '<?xml version="1.0" encoding="utf-8" ?>\n<rtmp><naccepted>0</naccepted><bw_in>0</bw_in><bytes_in>0</bytes_in><bw_out>0</bw_out>' +
      "<bytes_out>0</bytes_out><server><application><name>relay</name><live><nclients>0</nclients></live></application></server></rtmp>\n",
  );
});

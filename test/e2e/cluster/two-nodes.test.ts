import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { OtlpReceiver, valuesOf } from "../../support/processes/otlp-receiver.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 10_000;
/** Five times what is promised. */
const FAILOVER_MS_MAX = 2_500;
/** Far more than a command takes, and less than the longest wait for its effect. */
const COMMAND_MS_MAX = 1_900;
const TRACE = "0af7651916cd43dd8448eb211c80319c";
/** More than the headers and the first frame of the clip. */
const MEDIA_BYTES = 20_000;

const eventsAnswer = z.array(z.looseObject({ eventCode: z.string(), reason: z.string().optional() }));
const nodesAnswer = z.array(z.looseObject({ incarnation: z.int(), isSelf: z.boolean() }));
const reportsAnswer = z.array(z.looseObject({ startTime: z.int(), reason: z.string() }));

/** Nothing listens there. */
const NOBODY = "rtmp://127.0.0.1:9/live";

const urlOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}`;

/** The media that came on a connection of a target, 0 before it is there. */
const mediaBytes = (target: KitTarget, connection: number): number =>
  target.connections[connection]?.report.mediaBytes ?? 0;

/** Codes and reasons of the broadcasts, oldest first. */
async function broadcastEvents(api: ApiClient, channel: Channel): Promise<string[]> {
  const events = eventsAnswer.parse(await api.request("GET", `${urlOf(channel)}/events?pageSizeNo=100`));
  return events
    .filter(({ eventCode }) => eventCode.startsWith("PUBLISH_"))
    .reverse()
    .map(({ eventCode, reason }) => (reason === undefined ? eventCode : `${eventCode} ${reason}`));
}

const statuses = async (api: ApiClient, channel: Channel): Promise<string[]> =>
  (await api.platforms(channel.channelId)).map(({ connectStatus }) => connectStatus);

/** Events are stored a moment after what they tell of. */
const happened = (api: ApiClient, channel: Channel, wanted: readonly string[]) =>
  expect.poll(() => broadcastEvents(api, channel), { timeout: 5 * DEADLINE_MS }).toEqual(wanted);

const becomes = (api: ApiClient, channel: Channel, wanted: readonly string[]) =>
  expect.poll(() => statuses(api, channel), { timeout: 5 * DEADLINE_MS }).toEqual(wanted);

/** One trace from the request at node b over the hint to node a, which owns the channel, to the platform. */
async function expectTraceAcrossNodes(otlp: OtlpReceiver, platId: number | undefined): Promise<void> {
  const names = ["POST /api/v2", "node hint", "command channel", "target dial"];
  const spans = await waitFor("the trace", DEADLINE_MS, () => {
    const found = names.map((name) => otlp.named(TRACE, name));
    return found.every((span) => span !== undefined) ? found : undefined;
  });
  expect(spans.map((span) => span?.resource["service.instance.id"])).toEqual(["b", "a", "a", "a"]);
  expect(spans.slice(1).map((span) => span?.parentSpanId)).toEqual(spans.slice(0, -1).map((span) => span?.spanId));
  expect(valuesOf(spans[3]?.attributes ?? [])).toMatchObject({
    "fanfare.platform_id": platId,
    "fanfare.result": "publishing",
  });
}

test("two nodes say and do the same, and when one is killed the other carries its channel on", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const [first, second] = [await stage.target(), await stage.target()];
  const otlp = await OtlpReceiver.start(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const settings = { FANFARE_DRAIN_SECONDS: "60", OTEL_EXPORTER_OTLP_ENDPOINT: otlp.endpoint };
  const [a, b] = [await cluster.node("a", settings), await cluster.node("b", settings)];
  const mediaAt = (target: KitTarget, connection: number) =>
    waitFor(
      `media on connection ${connection}`,
      DEADLINE_MS,
      () => mediaBytes(target, connection) > MEDIA_BYTES || undefined,
      () => cluster.output,
    );
  const channel = await a.api.createChannel("shared", [{ rtmpUrl: first.url, streamKey: uniqueKey("first") }]);
  const clip = syntheticClip({ kilobits: 500 });
  const encoder = stage.kitEncoder(channel, { clip });
  await mediaAt(first, 0);
  await becomes(b.api, channel, ["PUBLISHING"]);
  await happened(b.api, channel, ["PUBLISH_START"]);

  // The node that takes the edit is not the one that dials. Its hint has the trace; a comparison of the owner with the
  // database may find the change before the hint comes, and has none. So the comparisons wait until it is in force.
  const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
  const added = { rtmpUrl: second.url, streamKey: uniqueKey("second") };
  const letCompare = await cluster.services.holdComparisons();
  await b.api.addPlatform(channel.channelId, added, { traceparent });
  await mediaAt(second, 0);
  await letCompare();
  await expectTraceAcrossNodes(otlp, (await b.api.platforms(channel.channelId)).at(-1)?.platId);
  for (const { api } of [a, b]) await becomes(api, channel, ["PUBLISHING", "PUBLISHING"]);
  await expect
    .poll(() => [a, b].map(({ fanfare }) => fanfare.output.includes('"target status"')))
    .toEqual([true, false]);

  // Both nodes show it: the last keyframe, and a preview.
  for (const { fanfare, api } of [a, b]) {
    const path = `${urlOf(channel)}/keyframe`;
    const keyframe = await fetch(`${fanfare.origin}${path}`, { headers: api.signedHeaders("GET", path) });
    expect([keyframe.status, (await keyframe.text()).slice(0, 3)]).toEqual([200, "FLV"]);
    const { url } = z.object({ url: z.string() }).parse(await api.request("POST", `${urlOf(channel)}/preview-token`));
    // At the other one.
    const { origin } = fanfare === a.fanfare ? b.fanfare : a.fanfare;
    const preview = await fetch(`${origin}${url}`);
    const reader = preview.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    expect([preview.status, Buffer.from(value ?? []).toString("latin1", 0, 3)]).toEqual([200, "FLV"]);
    await reader?.cancel();
  }

  // The broadcast moves to the other node and back. The encoder stays connected, and the platforms are dialled anew. A test
  // pattern stays, and says so.
  const patterned = await a.api.createChannel("pattern", [{ rtmpUrl: NOBODY, streamKey: uniqueKey("pattern") }]);
  await a.api.request("POST", `${urlOf(patterned)}/test-pattern`, { durationSeconds: 600 });
  for (const [moves, { fanfare, api }] of [a, b].entries()) {
    const before = [first, second].map(({ connections }) => connections.length);
    const nodes = nodesAnswer.parse(await api.request("GET", "/api/v2/nodes"));
    const self = nodes.find(({ isSelf }) => isSelf)?.incarnation;
    const to = nodes.find(({ isSelf }) => !isSelf)?.incarnation;
    const path = `/api/v2/nodes/${self}/move`;
    await expect(api.request("POST", path, { to: self })).rejects.toThrow("expected another server");
    const staying = moves === 0 ? [{ channelId: patterned.channelId, stayReason: "TEST_PATTERN" }] : [];
    // Asked for at the one or the other node.
    expect(await b.api.request("POST", path, { to })).toMatchObject({ movingCount: 1, staying });
    if (moves === 0) await b.api.request("DELETE", `${urlOf(patterned)}/test-pattern`);
    await Promise.all([mediaAt(first, moves + 1), mediaAt(second, moves + 1)]);
    expect(before).toEqual([moves + 1, moves + 1]);
    await expect.poll(() => fanfare.output).toContain("channel moved to another node");
    for (const each of [a, b]) await becomes(each.api, channel, ["PUBLISHING", "PUBLISHING"]);
    const old = () => [first, second].map(({ connections }) => connections[moves]?.report.state);
    await expect.poll(old).not.toContain("open");
  }
  expect(await Promise.race([encoder.closed.then(() => "closed"), Promise.resolve("connected")])).toBe("connected");
  await happened(b.api, channel, ["PUBLISH_START"]);
  const events = eventsAnswer.parse(await a.api.request("GET", `${urlOf(channel)}/events?pageSizeNo=100`));
  expect(events.filter(({ eventCode }) => eventCode === "BROADCAST_MOVED")).toHaveLength(2);

  // A backup encoder at the other node, whose stream goes to the owner.
  const third = await stage.target();
  const other = await a.api.createChannel("standby", [{ rtmpUrl: third.url, streamKey: uniqueKey("third") }]);
  const main = stage.kitEncoder(other, { clip });
  expect(await main.accepted).toBe(true);
  await mediaAt(third, 0);
  // A command at the node that does not carry the channel is answered once it shows, not when the wait for it is over.
  const [platform] = await b.api.platforms(other.channelId);
  for (const word of ["off", "on"]) {
    const startMs = performance.now();
    await b.api.request("PUT", `${urlOf(other)}/platforms/${platform?.platId}/${word}`);
    expect(performance.now() - startMs).toBeLessThan(COMMAND_MS_MAX);
  }
  await mediaAt(third, 1);
  const { publishUrl: urlOfB } = await b.api.channel(other.channelId);
  const changed = await a.api.request("PUT", urlOf(other), { backup: { enabled: true } });
  const { backupStreamKey } = z.looseObject({ backupStreamKey: z.string() }).parse(changed);
  stage.keepSecret(backupStreamKey);
  const standby = stage.kitEncoder(other, { clip, url: urlOfB, streamKey: backupStreamKey });
  expect(await standby.accepted).toBe(true);
  await waitFor(
    "the backup encoder at its node",
    DEADLINE_MS,
    () => b.fanfare.output.includes("remote encoder") || undefined,
  );

  await a.fanfare.kill();
  const killedMs = performance.now();
  expect((await encoder.closed).end?.how).toBe("lost");
  await waitFor(
    "the target dialled by the backup's node",
    DEADLINE_MS,
    () => third.connections.length > 2 || undefined,
  );
  expect(performance.now() - killedMs).toBeLessThan(FAILOVER_MS_MAX);
  await mediaAt(third, 2);
  await expect.poll(() => b.fanfare.output).toContain("encoder goes on at its channel's next node");
  await standby.stop("clean");
  const { publishUrl } = await b.api.channel(channel.channelId);
  const returned = stage.kitEncoder(channel, { clip, url: publishUrl });
  expect(await returned.accepted).toBe(true);
  await Promise.all([mediaAt(first, 3), mediaAt(second, 3)]);
  await becomes(b.api, channel, ["PUBLISHING", "PUBLISHING"]);
  expect([first, second].map(({ connections }) => connections.length)).toEqual([4, 4]);
  await happened(b.api, channel, ["PUBLISH_START", "PUBLISH_END server-lost", "PUBLISH_START"]);
  const reports = reportsAnswer.parse(await b.api.request("GET", `${urlOf(channel)}/reports`));
  expect(reports.map(({ reason }) => reason)).toEqual(["server-lost"]);
  const metrics = (await (await fetch(`${b.fanfare.origin}/metrics`)).text()).split("\n");
  expect(metrics).toContain("fanfare_cluster_takeovers_total 2");
  expect(metrics).toContain('fanfare_cluster_claims_total{result="claimed"} 2');
  for (const what of ["bus", "database"]) expect(metrics).toContain(`fanfare_cluster_${what}_up 1`);

  // A node that is asked to stop carries its broadcast to its end.
  const stopped = b.fanfare.stop();
  await waitFor("draining", DEADLINE_MS, () => b.fanfare.output.includes('"event":"draining"') || undefined);
  const before = mediaBytes(first, 3);
  await waitFor(
    "media of a node that drains",
    DEADLINE_MS,
    () => mediaBytes(first, 3) > before + MEDIA_BYTES || undefined,
  );
  await returned.stop("clean");
  expect(await stopped).toEqual({ code: 0, signal: null });
  await expect.poll(() => [first, second].map(({ connections }) => connections[3]?.report.state)).not.toContain("open");
});

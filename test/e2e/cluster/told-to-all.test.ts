import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { StageCluster, type StageNode } from "../../support/cluster/stage-cluster.ts";
import { LiveClient } from "../../support/dashboard/live-client.ts";
import { PushBrowser } from "../../support/dashboard/push-browser.ts";
import { openPushService } from "../../support/dashboard/push-service.ts";
import type { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 30_000;
const SAMPLES = 5;
/** What samples of a stream that goes on evenly may show beside the counters: a finding of the ingest check. */
const CHANGES_MAX = 2;

const rates = z.looseObject({ bytesPerSecond: z.array(z.number().nullable()) });
const history = z.looseObject({ fromTime: z.int(), ingest: rates });
const pushed = z.looseObject({ channelId: z.string() });

/** The node's dashboard, as a browser on its own page calls it. Returns the cookies of the answer. */
async function onPage({ origin }: FanfareProcess, method: string, path: string, body: object, cookie = "") {
  const headers = { origin, "content-type": "application/json", cookie };
  const answer = await fetch(`${origin}${path}`, { method, headers, body: JSON.stringify(body) });
  expect([path, answer.status]).toEqual([path, 200]);
  const cookies = answer.headers.getSetCookie().map((each) => each.split(";")[0]);
  return cookies.join("; ");
}

test("what one node meets every node shows, and one of them tells people", async ({ onTestFinished }) => {
  const stage = await Stage.open(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const pushService = await openPushService(stage);
  const trusting = { NODE_EXTRA_CA_CERTS: pushService.authority };
  const [a, b] = [await cluster.node("a", trusting), await cluster.node("b", trusting)];
  const target = await stage.target();
  const clip = syntheticClip({ kilobits: 500 });
  const onAir = async ({ api }: StageNode, name: string) => {
    const channel = await api.createChannel(name, [{ rtmpUrl: target.url, streamKey: uniqueKey(name) }]);
    await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { hold: { seconds: 0 } });
    const encoder = stage.kitEncoder(channel, { clip });
    expect(await encoder.accepted).toBe(true);
    return { channelId: channel.channelId, encoder };
  };
  const [atA, atB] = [await onAir(a, "first"), await onAir(b, "second")];

  // The counters of a channel come at every node, once a second, and not the whole channel with them.
  const { TARGET } = LiveClient;
  const live = await LiveClient.open(b.fanfare.origin, b.api.signedHeaders("GET", TARGET));
  stage.onClose(async () => live.close());
  const isSample = ({ name, data }: { readonly name: string; readonly data: { readonly channelId?: string } }) =>
    name === "sample" && data.channelId === atA.channelId;
  const { data } = await live.until("a sample", (event) => isSample(event) && event.data.ingest.bytesPerSecond > 0);
  expect(data.platforms).toEqual([expect.objectContaining({ bytesPerSecond: expect.any(Number), droppedFrames: 0 })]);
  let [samples, changes] = [0, 0];
  await live.until("more samples", (event) => {
    if (isSample(event)) samples += 1;
    else if (event.name === "platform" && event.data.channelId === atA.channelId) changes += 1;
    return samples === SAMPLES;
  });
  expect(changes).toBeLessThanOrEqual(CHANGES_MAX);

  // The minute that its node has not stored yet.
  const historyAt = async ({ api }: StageNode) =>
    history.parse(await api.request("GET", `/api/v2/re-stream/channels/${atA.channelId}/history?stepSeconds=1`));
  const [own, shown] = [await historyAt(a), await historyAt(b)];
  expect(shown.fromTime).toBe(own.fromTime);
  expect(shown.ingest.bytesPerSecond.filter((rate) => rate !== null).length).toBeGreaterThanOrEqual(SAMPLES);

  // A rejected encoder.
  const { publishUrl } = await a.api.channel(atA.channelId);
  const wrong = await a.api.channel(atA.channelId);
  const stranger = stage.kitEncoder(wrong, { clip, url: publishUrl, streamKey: uniqueKey("wrong") });
  expect(await stranger.accepted).toBe(false);
  const refused = await live.until("the rejected encoder", ({ name }) => name === "refused");
  expect(refused.data).toMatchObject({ remoteAddress: "127.0.0.1", reason: "unknown-key", count: 1 });

  // A browser that signed in at one node subscribes at another. Two broadcasts are lost, each at another node.
  const token = /\/setup#token=([a-z0-9]+)/.exec(a.fanfare.stdout)?.[1];
  const cookie = await onPage(a.fanfare, "POST", "/dashboard/setup", { token, password: "correct horse" });
  const path = `/send/${uniqueKey("browser")}`;
  const browser = new PushBrowser(`${pushService.origin}${path}`);
  stage.keepSecret(path);
  for (const { fanfare } of [b, a]) await onPage(fanfare, "PUT", "/dashboard/push", browser.subscription(), cookie);
  const isEnd = (channelId: string) => (event: { readonly name: string; readonly data: Record<string, unknown> }) =>
    event.name === "event" && event.data["eventCode"] === "PUBLISH_END" && event.data["channelId"] === channelId;
  const told = () => pushService.pushed.map(({ body }) => pushed.parse(JSON.parse(browser.decrypt(body))).channelId);
  for (const [number, { channelId, encoder }] of [atA, atB].entries()) {
    await encoder.stop("reset");
    await live.until("its end", isEnd(channelId));
    await waitFor("its alert", DEADLINE_MS, () => told().length > number || undefined);
  }
  // The other node's alert of the first one would have come before this node's of the second.
  expect(told()).toEqual([atA.channelId, atB.channelId]);
});

import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 30_000;
const MEDIA_BYTES = 20_000;
const streamKeyAnswer = z.looseObject({ streamKey: z.string() });

test("an encoder whose key is changed at its own node must go, though the owner at another node is cut off and does not hear of it", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const [a, b] = [await cluster.cutNode("a"), await cluster.node("b")];
  const logs = () => cluster.output;
  const target = await stage.target();
  const clip = syntheticClip({ kilobits: 300 });
  const channel = await a.api.createChannel("revoked", [{ rtmpUrl: target.url, streamKey: uniqueKey("revoked") }]);
  const media = () => moreMedia(() => [target.connections[0]?.report.mediaBytes ?? 0], MEDIA_BYTES, logs);
  const first = stage.kitEncoder(channel, { clip });
  await media();
  await expect
    .poll(() => b.api.channel(channel.channelId), { timeout: DEADLINE_MS })
    .toMatchObject({ isPublishing: true });
  await first.stop("reset");
  // It comes to the other node, which passes it on.
  const url = channel.publishUrl.replace(`:${a.fanfare.rtmpPort}/`, `:${b.fanfare.rtmpPort}/`);
  const second = stage.kitEncoder(channel, { clip, url });
  expect(await second.accepted).toBe(true);
  await media();
  expect(target.connections).toHaveLength(1);

  a.ways.nats.blackhole();
  a.ways.postgres.blackhole();
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  // It is stored, and the owner cannot be asked.
  await expect(b.api.request("POST", `${path}/stream-key`, {})).rejects.toThrow("503");
  const { streamKey } = streamKeyAnswer.parse(await b.api.request("GET", path));
  stage.keepSecret(streamKey);
  expect(streamKey).not.toBe(channel.streamKey);
  await second.closed;
  const third = stage.kitEncoder(channel, { clip, url });
  expect(await third.accepted).toBe(false);
  a.ways.nats.resume();
  a.ways.postgres.resume();
});

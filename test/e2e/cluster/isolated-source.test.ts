import { expect, test } from "vitest";
import { z } from "zod";
import type { NodeWays } from "../../support/cluster/node-ways.ts";
import { StageCluster, type StageNode } from "../../support/cluster/stage-cluster.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeFile } from "../../support/streams/made-files.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 60_000;
/** More than the headers and the first frame of a clip. */
const MEDIA_BYTES = 50_000;
/** A target never has two publishers of ours for longer, in milliseconds: invariant I4 of the placement. */
const BOTH_MS = 10_000;
/** By then a source would have been stopped that is stopped for want of the database, in seconds. */
const WITHOUT_DATABASE_SECONDS = 15;

const sourceAnswer = z.looseObject({ sourceState: z.string(), sourceReason: z.string().optional() });

test("a source plays on while the database and NATS are away, also where a node dies; a node that is cut off from the others too stops it, and another plays it", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const cluster = await StageCluster.open(stage);
  const [a, b, c] = [await cluster.cutNode("a"), await cluster.cutNode("b"), await cluster.cutNode("c")];
  const logs = () => cluster.output;

  const [nginx, target] = [await stage.nginx(), await stage.target()];
  const key = uniqueKey("camera");
  stage.keepSecret(key);
  const clip = await makeFile(stage.folder, "clip.mp4", { seconds: 10 });
  await stage.ffmpeg({ path: clip }, `${nginx.url}/${key}`, { loops: true });
  const channel = await a.api.createChannel("pulled", [{ rtmpUrl: target.url, streamKey: uniqueKey("pulled") }]);
  const source = `/api/v2/re-stream/channels/${channel.channelId}/source`;
  await a.api.request("PUT", source, { pull: { url: `${nginx.url}/${key}` } });
  await a.api.request("POST", `${source}/start`);
  const media = (connection: number) =>
    moreMedia(() => [target.connections[connection]?.report.mediaBytes ?? 0], MEDIA_BYTES, logs);
  const read = async ({ api }: StageNode) => sourceAnswer.parse(await api.request("GET", source));
  const cut = (ways: NodeWays) => [ways.nats, ways.postgres];
  await media(0);
  await expect.poll(() => read(b), { timeout: DEADLINE_MS }).toMatchObject({ sourceState: "playing" });

  for (const { ways } of [a, b, c]) for (const way of cut(ways)) way.blackhole();
  // Its host refuses connections from now on: it has ended, and plays nothing.
  await Promise.all([c.fanfare.kill(), c.ways.link.close()]);
  const age = async () => {
    const text = await (await fetch(`${a.fanfare.origin}/metrics`)).text();
    return Number(/^fanfare_cluster_reconcile_age_seconds (\S+)$/m.exec(text)?.[1]);
  };
  await expect.poll(age, { timeout: DEADLINE_MS, interval: 500 }).toBeGreaterThan(WITHOUT_DATABASE_SECONDS);
  await media(0);
  expect(target.connections).toHaveLength(1);
  for (const { ways } of [a, b]) for (const way of cut(ways)) way.resume();
  await expect.poll(age, { timeout: DEADLINE_MS }).toBeLessThan(WITHOUT_DATABASE_SECONDS);
  await expect.poll(() => read(b), { timeout: DEADLINE_MS }).toMatchObject({ sourceState: "playing" });

  for (const way of [...cut(a.ways), a.ways.link, b.ways.link]) way.blackhole();
  await media(1);
  const bothMs = performance.now();
  const first = target.connections[0];
  await waitFor(
    "the node that is cut off to stop",
    DEADLINE_MS,
    () => first?.report.state !== "open" || undefined,
    logs,
  );
  expect(performance.now() - bothMs).toBeLessThan(BOTH_MS);
  await expect.poll(() => a.fanfare.output).toContain("another server may have taken it over");
  // A clean end would end the other node's stream at platforms that go by the key.
  expect(first?.report.stage).toBe("publishing");

  for (const way of [...cut(a.ways), a.ways.link, b.ways.link]) way.resume();
  await expect
    .poll(() => read(a).catch(() => undefined), { timeout: DEADLINE_MS })
    .toMatchObject({ sourceState: "playing" });
  await media(1);
  expect(target.connections).toHaveLength(2);
});

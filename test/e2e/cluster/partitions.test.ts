import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { StageCluster } from "../../support/cluster/stage-cluster.ts";
import type { Channel } from "../../support/dashboard/api-client.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DEADLINE_MS = 20_000;
/** How soon the window of a platform opens, and how long it is open, in milliseconds: PostgreSQL is away long before its end. */
const OPENS_MS = 3_000;
const OPEN_MS = 20_000;
/** How far the clock of the second node is ahead: it would close the window at once. */
const AHEAD_MS = 60_000;
/** More than the headers and the first frame of the clip. */
const MEDIA_BYTES = 20_000;

const urlOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}`;
const streamKeyAnswer = z.looseObject({ streamKey: z.string() });

/** Two nodes, and channels whose encoders come to the first one. */
async function twoNodes(stage: Stage) {
  const cluster = await StageCluster.open(stage);
  const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "stepping-clock.mjs"));
  const clockFile = join(stage.folder, "clock");
  await writeFile(clockFile, `${AHEAD_MS}`);
  const wrong = { NODE_OPTIONS: `--import=${preload}`, FANFARE_TEST_CLOCK_FILE: clockFile };
  const [a, b] = [await cluster.node("a"), await cluster.node("b", wrong)];
  const clip = syntheticClip({ kilobits: 300 });
  const target = await stage.target();
  const made = (name: string) => a.api.createChannel(name, [{ rtmpUrl: target.url, streamKey: uniqueKey(name) }]);
  const publish = async (channel: Channel) => {
    const encoder = stage.kitEncoder(channel, { clip });
    expect(await encoder.accepted).toBe(true);
    return encoder;
  };
  const logs = () => cluster.output;
  return { services: cluster.services, a, b, target, made, publish, logs };
}

const timeText = (ms: number): string => new Date(ms).toISOString().slice(11, 19);

test("what is changed at one node while NATS is away reaches the owner at another, which follows windows without PostgreSQL too", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { services, a, b, target, made, publish, logs } = await twoNodes(stage);
  const windowed = await made("windowed");
  const [off, gone, renewed] = [await made("off"), await made("gone"), await made("renewed")];
  await publish(windowed);
  const leaving = [await publish(off), undefined, await publish(renewed)];
  const media = (count: number) =>
    waitFor(
      `media on ${count} connections`,
      DEADLINE_MS,
      () => target.connections.filter(({ report }) => report.mediaBytes > MEDIA_BYTES).length === count || undefined,
      logs,
    );
  await media(3);
  for (const { channelId } of [off, renewed])
    await expect.poll(() => b.api.channel(channelId), { timeout: DEADLINE_MS }).toMatchObject({ isPublishing: true });
  await services.nats.kill();
  // Nobody tells the second node that this one is on air.
  leaving[1] = await publish(gone);
  await media(4);

  const ended = leaving.map((encoder) => encoder?.closed);
  // They are stored, and their owner cannot be asked.
  const path = urlOf(renewed);
  await expect(b.api.request("PUT", `${urlOf(off)}/off`)).rejects.toThrow("503");
  await expect(b.api.request("POST", `${path}/stream-key`, {})).rejects.toThrow("503");
  await b.api.request("DELETE", urlOf(gone));
  const { streamKey } = streamKeyAnswer.parse(await b.api.request("GET", path));
  stage.keepSecret(streamKey);
  expect(streamKey).not.toBe(renewed.streamKey);
  await Promise.all(ended);
  await services.nats.resume();

  const [platform] = await a.api.platforms(windowed.channelId);
  const opensMs = Math.ceil((Date.now() + OPENS_MS) / 1_000) * 1_000;
  const closesMs = opensMs + OPEN_MS;
  const open = [{ startAt: timeText(opensMs), endAt: timeText(closesMs) }];
  const { targetName, rtmpUrl, streamKey: key } = platform ?? {};
  const edited = { targetName, rtmpUrl, streamKey: key, windows: { open, timeZone: "UTC" } };
  await a.api.request("PUT", `${urlOf(windowed)}/platforms/${platform?.platId}?onAir=true`, edited);
  await media(5);
  expect(Date.now()).toBeGreaterThanOrEqual(opensMs);
  await services.postgres.stop();
  const window = target.connections[4];
  await waitFor("the window to close", DEADLINE_MS, () => window?.report.state !== "open" || undefined, logs);
  expect(Date.now()).toBeGreaterThanOrEqual(closesMs);
  await expect.poll(() => a.fanfare.output).toContain("a platform follows its windows without the database");
  await services.postgres.resume();
  await expect
    .poll(() => b.api.platforms(windowed.channelId).catch(() => []), { timeout: 5 * DEADLINE_MS })
    .toMatchObject([{ windowState: "CLOSED", connectStatus: "READY" }]);
  expect(target.connections).toHaveLength(5);
});

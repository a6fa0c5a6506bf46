import { expect, test } from "vitest";
import { z } from "zod";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** Totals on disk may lag by 5 s; one more for the sample they are made of, one for a busy machine. */
const TOTALS_LAG_SECONDS = 7;
/** The same for reports, which are stored half as often. */
const REPORT_LAG_SECONDS = 9;

const reportAnswer = z.object({
  reason: z.string(),
  platforms: z.array(
    z.object({ platId: z.number(), targetName: z.string(), onAirSeconds: z.number(), bytesSent: z.number() }),
  ),
});

test("after kill -9 channels, platforms and totals are there, and a new publish by FFmpeg flows", async () => {
  const stage = await Stage.open();
  const [long, short] = [await makeClip({ seconds: 20 }), await makeClip(ONE_GROUP)];
  const nginx = await stage.nginx();
  const { api, fanfare } = await stage.server();
  const key = uniqueKey("crash");
  const channel = await api.createChannel("crash", [{ rtmpUrl: nginx.url, streamKey: key }]);
  await api.createChannel("another", [
    { rtmpUrl: nginx.url, streamKey: uniqueKey("another"), password: "p4ssw0rd-4c1d" },
  ]);
  const [channelsBefore, platformsBefore] = [await api.channels(), await api.platforms(channel.channelId)];
  const watch = stage.watch(api, channel);
  await stage.ffmpeg(long, publishUrl(channel), { loops: true });
  await watch.until(0, (platform) => platform.totalPlaySecond >= 10, 20_000);
  await watch.stop();
  const askedAtMs = performance.now();
  const [before] = await api.platforms(channel.channelId);
  if (before === undefined) throw new Error("no platform");

  await fanfare.kill();
  /** What was asked for may be a second old; and this is what came after it, on a busy machine more. */
  const unseenSeconds = 1 + (performance.now() - askedAtMs) / 1_000;
  await fanfare.restart();
  const names = (channels: typeof channelsBefore): string[] =>
    channels.map(({ channelId, channelName, streamKey }) => `${channelId} ${channelName} ${streamKey}`);
  expect(names(await api.channels())).toEqual(names(channelsBefore));
  expect((await api.channel(channel.channelId)).channelStatus).toBe("READY");
  const [after] = await api.platforms(channel.channelId);
  if (after === undefined) throw new Error("no platform");
  const { platId, targetName, rtmpUrl, streamKey } = after;
  expect(platformsBefore).toMatchObject([{ platId, targetName, rtmpUrl, streamKey }]);
  expect(after.connectStatus).toBe("READY");
  expect(after.bytesTotalTrans).toBeGreaterThan(
    before.bytesTotalTrans - TOTALS_LAG_SECONDS * long.bytesPerSecond * 1.2,
  );
  expect(after.bytesTotalTrans).toBeLessThan(before.bytesTotalTrans + (1 + unseenSeconds) * long.bytesPerSecond);
  expect(after.totalPlaySecond).toBeGreaterThanOrEqual(before.totalPlaySecond - TOTALS_LAG_SECONDS);

  // What was known of the broadcast that the server died in.
  const reports = z.array(reportAnswer);
  const [report] = await waitFor("the report", 5_000, async () => {
    const found = reports.parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/reports`));
    return found.length > 0 ? found : undefined;
  });
  expect(report).toMatchObject({ reason: "server-lost", platforms: [{ platId, targetName: "CUSTOM" }] });
  const events = z.array(z.looseObject({ eventCode: z.string(), reason: z.string().optional() }));
  const { content } = z
    .object({ content: events })
    .parse({ content: await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/events`) });
  expect(content[0]).toMatchObject({ eventCode: "PUBLISH_END", reason: "server-lost", logLevel: "ERROR" });
  const known = report?.platforms[0];
  expect(known?.onAirSeconds).toBeGreaterThanOrEqual(before.totalPlaySecond - REPORT_LAG_SECONDS);
  expect(known?.bytesSent).toBeGreaterThan(before.bytesTotalTrans - REPORT_LAG_SECONDS * long.bytesPerSecond * 1.2);

  const again = await stage.ffmpeg(short, publishUrl(channel));
  expect(await again.exited, again.stderr()).toEqual({ code: 0, signal: null });
  expect((await expectSentPackets(nginx, key, short.path, 1)).framesSkipped).toBe(0);
  const least = after.bytesTotalTrans + short.bytesPerSecond * short.seconds * 0.95;
  const watchAgain = stage.watch(api, channel);
  await watchAgain.until(0, (platform) => platform.bytesTotalTrans >= least, 5_000);
});

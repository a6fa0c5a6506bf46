import { expect, test } from "vitest";
import { LiveClient } from "../../support/dashboard/live-client.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** Five times as long as a change may take to be sent, in milliseconds. */
const DELAY_MAX_MS = 5_000;

test("the live stream and the metrics show what happens to a real broadcast, and no secret", async () => {
  const stage = await Stage.open();
  const clip = await makeClip({ seconds: 10 });
  const nginx = await stage.nginx();
  const { api, fanfare } = await stage.server();
  const streamKey = uniqueKey("observed");
  const channel = await api.createChannel("observed", [{ rtmpUrl: nginx.url, streamKey }]);
  const live = await LiveClient.open(fanfare.origin, api.signedHeaders("GET", LiveClient.TARGET));
  try {
    await live.until("the snapshot", ({ name, data }) => name === "snapshot" && data.channels.length === 1);
    const encoder = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
    await live.until("the channel on air", ({ name, data }) => name === "channel" && data.isPublishing === true);
    const publishing = await live.until(
      "the platform on air",
      ({ name, data }) => name === "platform" && data.connectStatus === "PUBLISHING",
    );
    expect(publishing.atMs - publishing.data.connectStatusTime).toBeLessThan(DELAY_MAX_MS);

    const samples = [];
    while (samples.length < 5) samples.push(await live.until("a sample", ({ name }) => name === "sample"));
    const seconds = ((samples.at(-1)?.data.time ?? 0) - (samples[0]?.data.time ?? 0)) / 1_000;
    expect(seconds).toBeGreaterThan(3);
    expect(seconds).toBeLessThan(20);
    const rates = samples.slice(1).map(({ data }) => data.ingest.bytesPerSecond);
    const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(mean).toBeGreaterThan(clip.bytesPerSecond * 0.5);
    expect(mean).toBeLessThan(clip.bytesPerSecond * 2);

    const metrics = await waitFor("both threads' event loop delay", 10_000, async () => {
      const text = await (await fetch(`${fanfare.origin}/metrics`)).text();
      return /thread="media[^"]*"/.test(text) && text.includes('thread="control"') ? text : undefined;
    });
    const target = `channel_id="${channel.channelId}",target_id="${publishing.data.platId}"`;
    expect(metrics).toContain(`fanfare_target_state{${target},state="PUBLISHING"} 1`);
    expect(
      Number(new RegExp(`fanfare_target_sent_bytes_total\\{${target}\\} (\\d+)`).exec(metrics)?.[1]),
    ).toBeGreaterThan(clip.bytesPerSecond);
    expect(metrics).toContain("fanfare_channels_on_air 1");
    for (const secret of [streamKey, channel.streamKey, nginx.url]) expect(metrics).not.toContain(secret);
    expect(await (await fetch(`${fanfare.origin}/readyz`)).text()).toBe("ok\n");

    encoder.kill("SIGINT");
    await encoder.exited;
    await live.until("the end", ({ name, data }) => name === "event" && data.eventCode === "PUBLISH_END");
    await live.until("the channel off air", ({ name, data }) => name === "channel" && data.isPublishing === false);
  } finally {
    live.close();
  }
  // An open stream does not delay the end of the server.
  const last = await LiveClient.open(fanfare.origin, api.signedHeaders("GET", LiveClient.TARGET));
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  await last.closed;
});

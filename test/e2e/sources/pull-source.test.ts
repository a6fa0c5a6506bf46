import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import { startChild } from "../../support/processes/children.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { stepsBack } from "../../support/streams/flv-file.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;

const sourceOf = ({ channelId }: Channel): string => `/api/v2/re-stream/channels/${channelId}/source`;
const sourceAnswer = z.looseObject({
  sourceState: z.string(),
  pull: z.looseObject({
    url: z.string(),
    connectStatus: z.string(),
    lastError: z.looseObject({ code: z.string(), message: z.string() }).optional(),
    nextRetryTime: z.int().optional(),
  }),
});

function reached(api: ApiClient, channel: Channel, what: string, state: string) {
  const last = { text: "" };
  return waitFor(
    what,
    DEADLINE_MS,
    async () => {
      const source = sourceAnswer.parse(await api.request("GET", sourceOf(channel)));
      last.text = JSON.stringify(source);
      return source.sourceState === state ? source : undefined;
    },
    () => last.text,
  );
}

test.concurrent("a source is pulled over RTMP, HLS and SRT; it goes and comes back; an encoder takes over; the target keeps its one connection", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const [rtmpPort, httpPort, srtPort] = [await freePort(), await freePort(), await freePort()];
  const nginx = await stage.nginx({ host: "127.0.0.1", port: rtmpPort, httpPort });
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("pull", [{ rtmpUrl: target.url, streamKey: uniqueKey("pull") }]);
  const key = uniqueKey("camera");
  stage.keepSecret(key);
  const clip = await makeFile(stage.folder, "camera.flv", { seconds: 10 });
  const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip];
  const publish = async (...output: string[]) =>
    stage.encoder(await startChild("ffmpeg", [...input, "-c", "copy", ...output]));
  const media = async () => target.connections[0]?.report.bytesReceived ?? 0;
  const more = async (what: string) => {
    const before = await media();
    await waitFor(what, DEADLINE_MS, async () => ((await media()) > before + 50_000 ? true : undefined));
  };

  const camera = await publish("-f", "flv", `${nginx.url}/${key}`);
  await api.request("PUT", sourceOf(channel), { pull: { url: `${nginx.url}/${key}?token=secret-of-camera` } });
  stage.keepSecret("secret-of-camera");
  await api.request("POST", `${sourceOf(channel)}/start`);
  const playing = await reached(api, channel, "the source to play", "playing");
  expect(playing.pull).toMatchObject({ url: `${nginx.url}/${key}?token=****`, connectStatus: "PUBLISHING" });
  await more("media from RTMP");

  await nginx.kill();
  const failed = await reached(api, channel, "the loss to be told", "failed");
  expect(failed.pull).toMatchObject({ connectStatus: "FAIL", lastError: { code: "REMOTE_CLOSED" } });
  expect(failed.pull.nextRetryTime).toBeGreaterThan(0);
  await camera.stop("SIGKILL", 1_000);
  await nginx.restart();
  await publish("-f", "flv", `${nginx.url}/${key}`);
  await reached(api, channel, "the source to come back", "playing");
  await more("media after the return");

  await api.request("PUT", sourceOf(channel), { pull: { url: `http://127.0.0.1:${httpPort}/hls/${key}.m3u8` } });
  await reached(api, channel, "HLS to be connected to", "starting");
  await reached(api, channel, "HLS to play", "playing");
  await more("media from HLS");

  await publish("-f", "mpegts", `srt://127.0.0.1:${srtPort}?mode=listener&passphrase=a-long-secret`);
  await api.request("PUT", sourceOf(channel), {
    pull: { url: `srt://127.0.0.1:${srtPort}?passphrase=a-long-secret` },
  });
  stage.keepSecret("a-long-secret");
  await reached(api, channel, "SRT to be connected to", "starting");
  await reached(api, channel, "SRT to play", "playing");
  await more("media from SRT");

  await publish("-f", "flv", publishUrl(channel));
  expect(await reached(api, channel, "the encoder to take over", "stopped")).toMatchObject({
    sourceReason: "replaced",
  });
  await more("media from the encoder");
  await expect(api.request("POST", `${sourceOf(channel)}/start`)).rejects.toThrow("never interrupts");
  await api.request("POST", `/api/v2/re-stream/channels/${channel.channelId}/end`);
  const [connection, ...others] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  expect(others).toEqual([]);
  const [recording = ""] = connection?.report.recordings ?? [];
  expect(stepsBack(readFlv(await readFile(recording)))).toEqual([]);
  expect(await decodingErrors(recording)).toBe("");
});

test.concurrent("a pull ends with the broadcast that a person ends, and does not connect again", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const target = await stage.target();
  const { api } = await sharedServer(stage);
  const channel = await api.createChannel("ended", [{ rtmpUrl: target.url, streamKey: uniqueKey("ended") }]);
  const key = uniqueKey("camera");
  stage.keepSecret(key);
  const clip = await makeFile(stage.folder, "camera.flv", { seconds: 10 });
  await stage.ffmpeg({ path: clip }, `${nginx.url}/${key}`, { loops: true });
  await api.request("PUT", sourceOf(channel), { pull: { url: `${nginx.url}/${key}` } });
  await api.request("POST", `${sourceOf(channel)}/start`);
  await reached(api, channel, "the source to play", "playing");
  // A source plays a moment before its media thread tells of the broadcast.
  await waitFor(
    "the broadcast",
    DEADLINE_MS,
    async () => (await api.channel(channel.channelId)).isPublishing || undefined,
  );
  await api.request("POST", `/api/v2/re-stream/channels/${channel.channelId}/end`);
  const ended = await reached(api, channel, "the source to end", "stopped");
  expect(ended).toMatchObject({ sourceReason: "replaced" });
});

test.concurrent("neither a pull nor a platform may be at a port of this server itself", async ({ onTestFinished }) => {
  const stage = await Stage.open(onTestFinished);
  const { api, fanfare } = await sharedServer(stage);
  const streamKey = uniqueKey("ourselves");
  const own = [`rtmp://127.0.0.1:${fanfare.rtmpPort}/relay`, `rtmp://127.0.0.1:${fanfare.httpPort}/relay`];
  const channel = await api.createChannel(
    "ourselves",
    own.map((rtmpUrl) => ({ rtmpUrl, streamKey })),
  );
  for (const { platId } of await api.platforms(channel.channelId)) {
    const tested = await api.request(
      "POST",
      `/api/v2/re-stream/channels/${channel.channelId}/platforms/${platId}/test`,
    );
    expect(tested).toMatchObject({ ok: false, lastError: { code: "TARGET_FORBIDDEN" } });
  }
  for (const url of own) {
    await api.request("PUT", sourceOf(channel), { pull: { url: `${url}/${streamKey}` } });
    await api.request("POST", `${sourceOf(channel)}/start`);
    const failed = await reached(api, channel, "the refusal", "failed");
    expect(failed.pull.lastError).toMatchObject({
      code: "TARGET_FORBIDDEN",
      message: expect.stringContaining("own-listener"),
    });
    await api.request("POST", `${sourceOf(channel)}/stop`);
  }
});

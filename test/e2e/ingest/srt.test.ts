import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { UdpFaultProxy } from "../../../src/testkit/proxy/udp-fault-proxy.ts";
import { ObsEncoder } from "../../support/encoders/obs-encoder.ts";
import { LINGER, startSrtGstreamer, startSrtTransmit, startTsFfmpeg } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { type Clip, makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { isVideo } from "../../support/streams/flv-file.ts";
import { expectProperStart, expectSentPackets } from "../../support/streams/recorded-stream.ts";

const PASSPHRASE = "correct-horse-battery";
const CHANNEL_PASSPHRASE = "channel-horse-battery";
/** Nothing is added to what the encoder sends. */
const NO_HOLD = { hold: { seconds: 0 } };
const TRANSMIT_DEADLINE_MS = 60_000;
const STOP_DEADLINE_MS = 15_000;
/**
 * For clips that come over plain UDP: on a busy machine a program that is not run for long loses what the kernel has no
 * room for. With the usual rate that is half a second of them.
 */
const FEW_DATAGRAMS = { kilobits: 200, size: "320x180" } as const;
const livesAnswer = z.looseObject({ ingest: z.looseObject({ state: z.literal("LIVE") }) });
const srtAnswer = z.looseObject({
  ingest: z.looseObject({ srt: z.looseObject({ packets: z.int(), retransmitted: z.int() }) }),
});

// One server in clear and one with a passphrase: a test waits mostly for the stream's own time.
const stage = await Stage.open(afterAll);
const nginx = await stage.nginx();
// On every address of the machine: IPv4 and IPv6.
const clear = await stage.server({ environment: { FANFARE_SRT_PORT: "0", FANFARE_RTMP_HOST: "::" } });
const encrypted = await stage.server({
  dataFolder: `${stage.folder}/encrypted`,
  environment: { FANFARE_SRT_PORT: "0", FANFARE_SRT_PASSPHRASE: PASSPHRASE },
});
for (const secret of [PASSPHRASE, CHANNEL_PASSPHRASE]) stage.keepSecret(secret);

async function channelOn({ api }: typeof clear, name: string, settings?: object) {
  const key = uniqueKey(name);
  const channel = await api.createChannel(name, [{ rtmpUrl: nginx.url, streamKey: key }]);
  if (settings !== undefined) await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, settings);
  return { channel, key, address: channel.srtUrl ?? "srt is off" };
}

test.concurrent("FFmpeg publishes over SRT, and a platform gets its packets", async () => {
  const { channel, key, address } = await channelOn(clear, "ffmpeg");
  const clip = await makeClip({ seconds: 4, hasBFrames: true });
  const encoder = stage.encoder(
    await startTsFfmpeg(clip, `${address}?streamid=publish:${channel.streamKey}&${LINGER}`),
  );
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await expectSentPackets(nginx, key, clip.path);
});

test.concurrent("FFmpeg publishes over SRT and IPv6", async () => {
  const { channel, key, address } = await channelOn(clear, "ipv6");
  const clip = await makeClip({ seconds: 4, hasBFrames: true });
  const url = `srt://[::1]:${address.split(":").at(-1)}?streamid=publish:${channel.streamKey}&${LINGER}`;
  const encoder = stage.encoder(await startTsFfmpeg(clip, url));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await expectSentPackets(nginx, key, clip.path);
});

test.concurrent("OBS publishes over SRT, encrypted and in clear, and its stop ends the broadcast", async ({
  expect,
}) => {
  const { channel, key, address } = await channelOn(clear, "obs", { srtPassphrase: CHANNEL_PASSPHRASE });
  const publishUrl = `${address}?streamid=publish:${channel.streamKey}&passphrase=${CHANNEL_PASSPHRASE}`;
  const obs = await ObsEncoder.start({ folder: stage.folder, publishUrl, streamKey: "" });
  stage.onClose(() => obs.kill());
  const recording = await nginx.waitForRecording(key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= 3_000, 30_000);
  expectProperStart(recording.tags);
  // A sample of the link comes with the next whole second.
  await expect
    .poll(() => clear.api.channel(channel.channelId))
    .toMatchObject({
      ingest: {
        state: "LIVE",
        videoCodec: "avc",
        width: 640,
        height: 360,
        audioCodec: "aac",
        srt: { encrypted: true },
      },
    });
  await obs.stopStreaming();
  await waitFor("the end", 30_000, async () => {
    const { channelStatus, ingest } = await clear.api.channel(channel.channelId);
    return channelStatus === "READY" && JSON.stringify(ingest).includes('"state":"ENDED"') ? true : undefined;
  });
  const second = await channelOn(clear, "obs_clear");
  const { channelId, streamKey } = second.channel;
  await obs.startStreaming({ publishUrl: `${second.address}?streamid=publish:${streamKey}`, streamKey: "" });
  await nginx.waitForRecording(second.key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= 1_000, 30_000);
  await expect
    .poll(() => clear.api.channel(channelId))
    .toMatchObject({ ingest: { state: "LIVE", srt: { encrypted: false } } });
});

test.concurrent("FFmpeg publishes over SRT with AES-256 and the passphrase of its channel", async () => {
  const { channel, key, address } = await channelOn(clear, "ffmpeg_aes", { srtPassphrase: CHANNEL_PASSPHRASE });
  const clip = await makeClip({ seconds: 4 });
  const url = `${address}?streamid=#!::r=${channel.streamKey},m=publish&passphrase=${CHANNEL_PASSPHRASE}&pbkeylen=32&${LINGER}`;
  const encoder = stage.encoder(await startTsFfmpeg(clip, url));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  await expectSentPackets(nginx, key, clip.path);
});

/**
 * FFmpeg sends a clip through srt-live-transmit, which drops what comes before it is connected, and what it has not sent
 * when it is stopped. The network before it loses the first datagrams.
 */
async function transmit(
  clip: Clip,
  { api }: typeof clear,
  channelId: string,
  to: string,
  lostCount = 0,
): Promise<void> {
  const port = await freePort();
  const transmitter = stage.encoder(await startSrtTransmit(`udp://127.0.0.1:${port}`, to));
  await waitFor("srt-live-transmit to publish", TRANSMIT_DEADLINE_MS, async () =>
    livesAnswer.safeParse(await api.channel(channelId)).success ? true : undefined,
  );
  let sent = 0;
  const wire = await UdpFaultProxy.start({
    to: { host: "127.0.0.1", port },
    faults: { loss: 1, delayMs: 0 },
    random: () => 0,
    onSent: () => {
      sent += 1;
    },
    isSpared: () => sent > lostCount,
  });
  stage.onClose(() => wire.close());
  const encoder = stage.encoder(await startTsFfmpeg(clip, `udp://127.0.0.1:${wire.port}?pkt_size=1316`));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  const came = { count: 0 };
  await waitFor(
    "all of the stream",
    TRANSMIT_DEADLINE_MS,
    async () => {
      const { data } = srtAnswer.safeParse(await api.channel(channelId));
      if (data !== undefined) came.count = data.ingest.srt.packets - data.ingest.srt.retransmitted;
      return came.count === sent - lostCount ? true : undefined;
    },
    () => `${came.count} of ${sent - lostCount} packets came`,
  );
  // A frame of MPEG-TS ends with the next one, or with the stream.
  await transmitter.stop("SIGINT", STOP_DEADLINE_MS);
}

test.concurrent.for([
  { name: "in clear", server: clear, secret: "" },
  {
    name: "with AES-256 and renews its key on air",
    server: encrypted,
    secret: `&passphrase=${PASSPHRASE}&pbkeylen=32&kmrefreshrate=50&kmpreannounce=20`,
  },
])("srt-live-transmit publishes $name", async ({ server, secret }) => {
  const { channel, key, address } = await channelOn(server, "transmit", NO_HOLD);
  const clip = await makeClip({ ...ONE_GROUP, ...FEW_DATAGRAMS });
  await transmit(clip, server, channel.channelId, `${address}?streamid=live/${channel.streamKey}${secret}`);
  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(0);
});

test.concurrent("a stream whose first keyframe is lost begins with its next one, and with no audio before that", async () => {
  const { channel, key, address } = await channelOn(clear, "joined", NO_HOLD);
  const clip = await makeClip({ seconds: 10, groupSeconds: 4, ...FEW_DATAGRAMS });
  // Less than a second of it is lost, with the first keyframe.
  await transmit(clip, clear, channel.channelId, `${address}?streamid=publish:${channel.streamKey}`, 20);
  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(100);
});

test.concurrent.for([
  { name: "in clear", settings: {}, query: "" },
  {
    name: "with AES-256",
    settings: { srtPassphrase: CHANNEL_PASSPHRASE },
    query: `&passphrase=${CHANNEL_PASSPHRASE}&pbkeylen=32`,
  },
])("GStreamer publishes with srtsink $name", async ({ settings, query }) => {
  const { channel, key, address } = await channelOn(clear, "gstreamer", settings);
  const encoder = stage.encoder(await startSrtGstreamer(`${address}?streamid=${channel.streamKey}${query}`, 4));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  const recording = await nginx.waitForRecording(key, (tags) => tags.filter(isVideo).length >= 70, 10_000);
  expectProperStart(recording.tags);
});

test.concurrent("a wrong passphrase and a wrong key are refused, and the refusals are on record", async () => {
  const { channel, address } = await channelOn(encrypted, "refused");
  const own = await channelOn(encrypted, "own_passphrase", { srtPassphrase: CHANNEL_PASSPHRASE });
  const clip = await makeClip({ seconds: 4 });
  const urls = [
    `${address}?streamid=${own.channel.streamKey}&passphrase=${PASSPHRASE}`,
    `${address}?streamid=${channel.streamKey}&passphrase=another-passphrase`,
    `${address}?streamid=${channel.streamKey}`,
    `${address}?streamid=no-such-key&passphrase=${PASSPHRASE}`,
  ];
  for (const url of urls) {
    const encoder = stage.encoder(await startTsFfmpeg(clip, url));
    expect((await encoder.exited).code).not.toBe(0);
  }
  // Refusals are logged once a second.
  const { fanfare } = encrypted;
  for (const why of ["another SRT passphrase than the channel's", "an SRT passphrase on one side only"]) {
    await waitFor(`"${why}" in the log`, 5_000, () => fanfare.output.includes(why) || undefined);
  }
});

import { expect, test } from "vitest";
import { startLibrtmp } from "../../support/encoders/librtmp-encoder.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

test("librtmp publishes, and the target gets every packet", async () => {
  const stage = await Stage.open();
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("librtmp");
  const channel = await api.createChannel("librtmp", [{ rtmpUrl: nginx.url, streamKey: key }]);

  const clip = await makeClip(ONE_GROUP);
  const encoder = stage.encoder(await startLibrtmp(stage.folder, clip, publishUrl(channel)));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });

  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(0);
  expect(await api.channel(channel.channelId)).toMatchObject({
    ingest: { videoCodec: "avc", width: 640, height: 360, audioCodec: "aac", sampleRate: 48_000, channels: 2 },
  });
});

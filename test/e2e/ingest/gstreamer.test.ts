import { join } from "node:path";
import { expect, test } from "vitest";
import { startGstreamer } from "../../support/encoders/gstreamer-encoder.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

test.concurrent.for(["rtmp2sink", "rtmpsink"] as const)(
  "GStreamer publishes with %s",
  async (sink, { onTestFinished }) => {
    const stage = await Stage.open(onTestFinished);
    const nginx = await stage.nginx();
    const { api } = await sharedServer(stage);
    const key = uniqueKey(sink);
    const channel = await api.createChannel("gstreamer", [{ rtmpUrl: nginx.url, streamKey: key }]);
    const copyPath = join(stage.folder, "sent.flv");

    const options = { sink, url: publishUrl(channel), seconds: 8, copyPath };
    const encoder = stage.encoder(await startGstreamer(options));
    expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });

    expect((await expectSentPackets(nginx, key, copyPath)).framesSkipped).toBe(0);
  },
);

import { test } from "vitest";
import { startTsFfmpeg } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 60_000;
const MEDIA_BYTES = 100_000;

test.concurrent("the old process keeps the SRT port: an encoder that comes there reaches a channel of the new one", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const srtPort = `${await freePort()}`;
  const { api, fanfare } = await stage.server({ environment: { FANFARE_SRT_PORT: srtPort } });
  const keys = [uniqueKey("old"), uniqueKey("new")] as const;
  const old = await api.createChannel("old_srt", [{ rtmpUrl: target.url, streamKey: keys[0] }]);
  const fresh = await api.createChannel("new_srt", [{ rtmpUrl: target.url, streamKey: keys[1] }]);
  const moreOf = (key: string) =>
    moreMedia(
      () => [target.connections.find(({ report }) => report.streamName === key)?.report.mediaBytes ?? 0],
      MEDIA_BYTES,
      () => fanfare.output,
    );
  // What the old process lives on for.
  const clip = await makeClip({ seconds: 15 });
  const encoder = await stage.ffmpeg(clip, publishUrl(old), { loops: true });
  await moreOf(keys[0]);
  const older = await fanfare.upgrade();

  // A broadcast of the new process, into which an encoder comes over SRT.
  await api.request("POST", `/api/v2/re-stream/channels/${fresh.channelId}/test-pattern`, {});
  await moreOf(keys[1]);
  const address = `${fresh.srtUrl}?streamid=publish:${fresh.streamKey}`;
  const srt = stage.encoder(await startTsFfmpeg(clip, address));
  const present = async () => {
    const { ingest } = await api.channel(fresh.channelId);
    return ingest?.state === "LIVE" && ingest.testPattern === undefined ? true : undefined;
  };
  await waitFor("the encoder in place of the test pattern", DEADLINE_MS, present, () => fanfare.output);
  await moreOf(keys[1]);
  encoder.kill("SIGINT");
  expect(await srt.exited).toMatchObject({ code: 0 });
  expect(await older.exited).toEqual({ code: 0, signal: null });
  expect(target.connections.map(({ report }) => report.streamName)).toEqual([...keys]);
});

import { test } from "vitest";
import { z } from "zod";
import { startTsFfmpeg } from "../../support/encoders/srt-encoder.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

const DEADLINE_MS = 60_000;
const ingest = z.looseObject({ state: z.string(), testPattern: z.unknown().optional() });

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
  const mediaOf = (key: string) => {
    const found = target.connections.filter(({ report }) => report.streamName === key);
    return found.length === 1 ? (found[0]?.report.mediaBytes ?? 0) : 0;
  };
  // What the old process lives on for.
  const clip = await makeClip({ seconds: 15 });
  const encoder = await stage.ffmpeg(clip, publishUrl(old), { loops: true });
  await waitFor("its media", DEADLINE_MS, () => mediaOf(keys[0]) > 0 || undefined);
  const older = await fanfare.upgrade();

  // A broadcast of the new process, into which an encoder comes over SRT.
  await api.request("POST", `/api/v2/re-stream/channels/${fresh.channelId}/test-pattern`, {});
  await waitFor("the test pattern", DEADLINE_MS, () => mediaOf(keys[1]) > 0 || undefined);
  const address = `${fresh.srtUrl}?streamid=publish:${fresh.streamKey}`;
  const srt = stage.encoder(await startTsFfmpeg(clip, address));
  const present = async () => {
    const { ingest: found } = await api.channel(fresh.channelId);
    const { state, testPattern } = ingest.parse(found);
    return state === "LIVE" && testPattern === undefined ? true : undefined;
  };
  await waitFor("the encoder in place of the test pattern", DEADLINE_MS, present, () => fanfare.output);
  const before = mediaOf(keys[1]);
  await waitFor("its media", DEADLINE_MS, () => mediaOf(keys[1]) > before + 100_000 || undefined);
  encoder.kill("SIGINT");
  expect(await srt.exited).toMatchObject({ code: 0 });
  expect(await older.exited).toEqual({ code: 0, signal: null });
  expect(target.connections.map(({ report }) => report.streamName)).toEqual([...keys]);
});

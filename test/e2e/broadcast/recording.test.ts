import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ApiClient, Channel } from "../../support/dashboard/api-client.ts";
import type { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";

const DEADLINE_MS = 30_000;
const RECORDINGS = "/api/v2/re-stream/recordings";
/** What a kill may cost, in milliseconds. */
const LOST_MS_MAX = 1_000;

const recording = z.looseObject({
  recordingId: z.string(),
  state: z.enum(["RECORDING", "FINISHED"]),
  endReason: z.string().optional(),
  durationMilliseconds: z.int(),
  bytes: z.int(),
});
type Recording = z.infer<typeof recording>;

const pathOf = ({ channelId }: Channel, { recordingId }: Recording) => `${RECORDINGS}/${channelId}/${recordingId}`;

async function recordings(api: ApiClient, { channelId }: Channel): Promise<Recording[]> {
  return z.array(recording).parse(await api.request("GET", `${RECORDINGS}?channelId=${channelId}`));
}

/** Waits for the channel's newest recording to be as wanted. */
function newest(api: ApiClient, channel: Channel, isWanted: (found: Recording) => boolean): Promise<Recording> {
  return waitFor(`a recording: ${isWanted.toString()}`, DEADLINE_MS, async () => {
    const [found] = await recordings(api, channel);
    return found !== undefined && isWanted(found) ? found : undefined;
  });
}

test("a recording that begins on air is downloaded whole and in part, and one that a kill -9 cuts off plays", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api, credentials } = await stage.server();
  const channel = await api.createChannel("recorded", [{ rtmpUrl: target.url, streamKey: uniqueKey("recorded") }]);
  const download = (file: Recording, range?: string) => get(fanfare, api, `${pathOf(channel, file)}/file`, range);
  const plays = async (name: string, bytes: Buffer) => {
    const path = join(stage.folder, name);
    await writeFile(path, bytes);
    return await decodingErrors(path);
  };
  const clip = await makeClip({ seconds: 6 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  await waitFor("media at the target", DEADLINE_MS, () =>
    (target.connections[0]?.report.mediaBytes ?? 0) > 100_000 ? true : undefined,
  );
  expect(await recordings(api, channel)).toEqual([]);

  await api.request("PUT", `/api/v2/re-stream/channels/${channel.channelId}`, { recording: { enabled: true } });
  await newest(api, channel, ({ durationMilliseconds }) => durationMilliseconds >= 1_000);
  expect(target.connections).toHaveLength(1);
  encoder.kill("SIGINT");
  const whole = await newest(api, channel, ({ state }) => state === "FINISHED");
  expect(whole.endReason).toBe("BROADCAST_ENDED");
  expect(target.connections).toHaveLength(1);
  const { status, bytes } = await download(whole);
  expect([status, bytes.length]).toEqual([200, whole.bytes]);
  const part = await download(whole, "bytes=100-299");
  expect([part.status, part.contentRange]).toEqual([206, `bytes 100-299/${whole.bytes}`]);
  expect(part.bytes.equals(bytes.subarray(100, 300))).toBe(true);
  expect(await plays("whole.mp4", bytes)).toBe("");
  await api.request("DELETE", pathOf(channel, whole));
  expect(await recordings(api, channel)).toEqual([]);
  expect((await download(whole)).status).toBe(404);
  const events = `/api/v2/re-stream/channels/${channel.channelId}/events`;
  await expect
    .poll(() => api.request("GET", events))
    .toContainEqual(
      expect.objectContaining({
        ...{ reason: "recording-deleted", by: credentials.accessKey },
        description: expect.stringMatching(/^recorded channel /),
      }),
    );

  await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  const growing = await newest(api, channel, ({ durationMilliseconds }) => durationMilliseconds >= 2 * LOST_MS_MAX);
  await fanfare.kill();
  await fanfare.restart();
  const cut = await newest(api, channel, ({ recordingId }) => recordingId === growing.recordingId);
  expect(cut).toMatchObject({ state: "FINISHED", endReason: "SERVER_LOST" });
  // At most the last second is lost.
  expect(cut.durationMilliseconds).toBeGreaterThanOrEqual(growing.durationMilliseconds - LOST_MS_MAX);
  const after = await download(cut);
  expect([after.status, after.bytes.length]).toEqual([200, cut.bytes]);
  expect(await plays("cut.mp4", after.bytes)).toBe("");
});

async function get({ origin }: FanfareProcess, api: ApiClient, target: string, range?: string) {
  const headers = { ...api.signedHeaders("GET", target), ...(range === undefined ? {} : { Range: range }) };
  const answer = await fetch(`${origin}${target}`, { headers });
  const bytes = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, contentRange: answer.headers.get("content-range"), bytes };
}

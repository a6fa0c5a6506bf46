import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isVideo, stepsBack } from "../../support/streams/flv-file.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const ZONE = "Asia/Seoul";

const schedules = z.array(
  z.looseObject({
    scheduleName: z.string(),
    lastRun: z.object({ result: z.string(), time: z.int() }).optional(),
  }),
);

/** The date and time of day that clocks in the zone show, so many milliseconds from now. */
function clockIn(ms: number) {
  const time = new Date(Math.ceil((Date.now() + ms) / 1_000) * 1_000);
  const [onDate = "", startAt = ""] = time.toLocaleString("sv-SE", { timeZone: ZONE }).split(" ");
  return { timeZone: ZONE, repeat: "once", onDate, startAt };
}

test.concurrent("two schedules start on time, the second takes over within one connection, and its end ends the broadcast", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api } = await stage.server();
  const key = uniqueKey("schedule");
  const channel = await api.createChannel("schedule", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const first = await upload(api, await makeFile(stage.folder, "first.mp4", { seconds: 4 }));
  const second = await upload(api, await makeFile(stage.folder, "second.mp4", { seconds: 4 }));
  const url = `/api/v2/re-stream/channels/${channel.channelId}`;
  const film = { scheduleName: "film", fileIds: [first.fileId], loop: true, ...clockIn(3_000) };
  await api.request("POST", `${url}/schedules`, film);
  const show = { scheduleName: "show", fileIds: [second.fileId], loop: true, ...clockIn(8_000), endAfterSeconds: 5 };
  await api.request("POST", `${url}/schedules`, show);
  const over = await waitFor("the end of the show", DEADLINE_MS, async () => {
    const source = z.looseObject({ sourceState: z.string() }).parse(await api.request("GET", `${url}/source`));
    return source.sourceState === "stopped" && source["sourceReason"] !== undefined ? source : undefined;
  });
  expect(over).toMatchObject({ sourceReason: "schedule-over" });
  const listed = schedules.parse(await api.request("GET", `${url}/schedules`));
  expect(listed).toMatchObject([
    { scheduleName: "film", lastRun: { result: "STARTED" } },
    { scheduleName: "show", lastRun: { result: "STARTED" } },
  ]);
  // One connection, and so one recording, has both.
  const { path } = await nginx.waitForRecording(key, (tags) => tags.filter(isVideo).length > 150, DEADLINE_MS);
  const tags = readFlv(await readFile(path));
  expect(stepsBack(tags)).toEqual([]);
  expect(tags.filter(isVideo).at(-1)?.timestamp).toBeGreaterThan(7_000);
  expect(await decodingErrors(path)).toBe("");
});

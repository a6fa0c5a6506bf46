import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

/** A fault is shown after five seconds, of streams that are measured each second. */
const DEADLINE_MS = 30_000;

/** A mean of ten seconds has to stay above the limit for ten more. */
const OVER_DEADLINE_MS = 60_000;
/** CHZZK takes 8,000. */
const FAR_ABOVE_KILOBITS = 12_000;

const events = z.array(z.looseObject({ eventCode: z.string() }));

const answer = z.looseObject({
  ingest: z.looseObject({ warnings: z.array(z.looseObject({ code: z.string() })) }).optional(),
});

test.concurrent("the stream that an encoder really sends is measured and compared with each platform's limits", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api } = await sharedServer(stage);
  const platform = (targetName: string) => ({ targetName, rtmpUrl: target.url, streamKey: uniqueKey(targetName) });
  const channel = await api.createChannel("checked", [platform("CHZZK"), platform("YOUTUBE"), platform("CUSTOM")]);
  stage.kitEncoder(channel, { clip: syntheticClip({ video: "180p-b" }) });
  const warnings = await waitFor("a warning", DEADLINE_MS, async () => {
    const { ingest } = answer.parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}`));
    return ingest !== undefined && ingest.warnings.length > 0 ? ingest.warnings : undefined;
  });
  expect(warnings).toMatchObject([
    {
      code: "B_FRAMES",
      severity: "warning",
      message: expect.stringContaining("CHZZK accepts 0: set the encoder's B-frames to 0"),
    },
  ]);
});

test.concurrent("an encoder whose rate stays 20 % above a platform's limit is an event with both rates", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target();
  const { api } = await sharedServer(stage);
  const platform = (targetName: string) => ({ targetName, rtmpUrl: target.url, streamKey: uniqueKey(targetName) });
  const channel = await api.createChannel("over", [platform("CHZZK"), platform("CUSTOM")]);
  stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: FAR_ABOVE_KILOBITS }) });
  const over = async () => {
    const content = events.parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/events`));
    return content.filter(({ eventCode }) => eventCode === "PUBLISH_OVER_THRESHOLD");
  };
  const found = await waitFor("the event", OVER_DEADLINE_MS, async () => {
    const matching = await over();
    return matching.length > 0 ? matching : undefined;
  });
  expect(found).toMatchObject([
    {
      logLevel: "WARN",
      reason: "VIDEO_BITRATE_HIGH",
      description: expect.stringMatching(
        / video of 1[12]\d{3} kbit\/s stays above the 8000 kbit\/s of platform CHZZK /,
      ),
    },
  ]);
});

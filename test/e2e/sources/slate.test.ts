import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { z } from "zod";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { startChild } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { stepsBack } from "../../support/streams/flv-file.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const slateAnswer = z.looseObject({ slateState: z.string(), curtainClosed: z.boolean(), slateShown: z.boolean() });

test.concurrent("a picture stands behind the curtain and in a hold, over one connection that decodes without a message", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const target = await stage.target({}, { recordInto: stage.folder });
  const { api, credentials } = await sharedServer(stage);
  const channel = await api.createChannel("slate", [{ rtmpUrl: target.url, streamKey: uniqueKey("slate") }]);
  const url = `/api/v2/re-stream/channels/${channel.channelId}`;
  const read = async () => slateAnswer.parse(await api.request("GET", `${url}/slate`));
  const reached = (what: string, is: (slate: z.infer<typeof slateAnswer>) => boolean) =>
    waitFor(what, DEADLINE_MS, async () => (is(await read()) ? true : undefined));
  const picture = `${stage.folder}/slate.png`;
  const colour = ["-f", "lavfi", "-i", "color=red:size=320x240", "-frames:v", "1", picture];
  await (await startChild("ffmpeg", ["-v", "error", ...colour])).exited;
  const { fileId, fileState } = await upload(api, picture);
  expect(fileState).toBe("ready");
  await api.request("PUT", `${url}/slate`, { fileId });
  expect((await read()).slateState).toBe("waiting");
  await expect(api.request("POST", `${url}/curtain`)).rejects.toThrow("off air");

  const clip = await makeFile(stage.folder, "encoder.flv", { seconds: 10 });
  const publish = () => stage.ffmpeg({ path: clip }, publishUrl(channel), { loops: true });
  const encoder = await publish();
  await reached("the slate to be made", ({ slateState }) => slateState === "ready");
  await api.request("POST", `${url}/curtain`);
  await reached("the curtain to close", ({ curtainClosed, slateShown }) => curtainClosed && slateShown);
  await api.request("DELETE", `${url}/curtain`);
  await reached("the encoder to be shown", ({ curtainClosed, slateShown }) => !curtainClosed && !slateShown);
  encoder.kill("SIGKILL");
  await reached("the slate in the hold", ({ slateShown }) => slateShown);
  await publish();
  await reached("the encoder to be back", ({ slateShown }) => !slateShown);
  await api.request("POST", `${url}/end`);
  const [connection, ...others] = target.connections;
  await waitFor("the target to be left", DEADLINE_MS, () => (connection?.report.state === "ended" ? true : undefined));
  expect(others).toEqual([]);
  await reached("the slate to wait for the next broadcast", ({ slateState }) => slateState === "waiting");
  const changes = (await api.request("GET", `${url}/events`)) as { readonly reason?: string; readonly by?: string }[];
  expect(
    changes.filter(({ reason = "" }) => /^(slate|curtain)-/.test(reason)).map(({ reason, by }) => [reason, by]),
  ).toEqual(["curtain-opened", "curtain-closed", "slate-changed"].map((reason) => [reason, credentials.accessKey]));
  const [recording = ""] = connection?.report.recordings ?? [];
  expect(stepsBack(readFlv(await readFile(recording)))).toEqual([]);
  expect(await decodingErrors(recording)).toBe("");
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { upload } from "../../support/dashboard/media-uploads.ts";
import { runFanfare } from "../../support/processes/fanfare-command.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeFile } from "../../support/streams/made-files.ts";

const HOOK = "https://hooks.slack.com/services/T000/B000/secret-0123456789";

const PASSWORD = "hunter22-of-export";

/** A server with this file in its library, and its command line. */
async function served(stage: Stage, name: string, path: string) {
  const { fanfare, api, credentials } = await stage.server({ dataFolder: join(stage.folder, name) });
  const { fileId } = await upload(api, path);
  const env = {
    ...{ XDG_CONFIG_HOME: join(stage.folder, "config"), FANFARE_URL: fanfare.origin, HOOK, PASSWORD },
    ...{ FANFARE_ACCESS_KEY: credentials.accessKey, FANFARE_SECRET_KEY: credentials.secretKey },
  };
  return { api, fileId, env, run: (...args: string[]) => runFanfare(args, env) };
}

test("schedules, windows, delays and contacts go from one server to another, with secrets from the environment", async () => {
  const stage = await Stage.open();
  const film = await makeFile(stage.folder, "film.mp4", { seconds: 1, size: "64x64" });
  const [one, other] = [await served(stage, "one", film), await served(stage, "other", film)];
  const windows = { open: [{ days: ["SUN"], startAt: "18:00", endAt: "23:00" }], timeZone: "Asia/Seoul" };
  const platform = {
    rtmpUrl: "rtmp://live.example.com/app",
    streamKey: uniqueKey("export"),
    delaySeconds: 30,
    windows,
    ...{ id: "me", password: PASSWORD },
  };
  const { channelId } = await one.api.createChannel("show", [platform]);
  const named = { channelName: "일요일 예배 (live)" };
  await one.api.request("PUT", `/api/v2/re-stream/channels/${channelId}?anyName=true`, named);
  const evening = { timeZone: "Asia/Seoul", repeat: "weekly", days: ["SUN"], startAt: "20:00", endAt: "21:30" };
  const schedule = { scheduleName: "Evening", fileIds: [one.fileId], loop: true, catchUp: "join", ...evening };
  await one.api.request("POST", `/api/v2/re-stream/channels/${channelId}/schedules`, schedule);
  const contact = { contactName: "crew", contactKind: "slack", webhookUrl: HOOK, channelIds: [channelId] };
  await one.api.request("POST", "/api/v2/events/contacts", contact);

  const { stdout: yaml } = await one.run("export");
  expect(yaml).not.toContain("secret-0123456789");
  const path = join(stage.folder, "file.yaml");
  writeFileSync(path, yaml);
  // The other server asks for what the export does not have, and changes nothing before it.
  expect(await other.run("import", "-f", path)).toMatchObject({ code: 2, stdout: "" });
  expect(await other.api.channels()).toEqual([]);
  const full = yaml.replace(/webhookUrl: .*/, "webhookUrlFrom: HOOK").replace(/password: .*/, "passwordFrom: PASSWORD");
  writeFileSync(path, full);
  const imported = await other.run("import", "-f", path);
  expect(imported.stdout).toBe("+ channel 일요일 예배 (live) with 1 platform\n+ contact crew (slack)\n2 steps done.\n");
  expect((await other.run("export")).stdout).toBe(yaml);
  for (const file of [yaml, full]) {
    writeFileSync(path, file);
    expect((await other.run("apply", "-f", path, "--prune")).stdout).toBe("Nothing to change.\n");
  }

  writeFileSync(path, yaml.replace("startAt: 20:00", "startAt: 19:00").replace("language: en", "language: ko"));
  const applied = await other.run("apply", "-f", path);
  expect(applied.stdout).toBe(
    '~ schedule Evening of 일요일 예배 (live): startAt "20:00" → "19:00"\n~ contact crew: language "en" → "ko"\n2 steps done.\n',
  );
  // A viewer sees keys masked: such a file would be no copy.
  const viewer = await one.api.request("POST", "/api/v2/access-keys", { role: "viewer" });
  const { accessKey, secretKey } = z.object({ accessKey: z.string(), secretKey: z.string() }).parse(viewer);
  stage.keepSecret(secretKey);
  const credentials = { FANFARE_ACCESS_KEY: accessKey, FANFARE_SECRET_KEY: secretKey };
  expect(await runFanfare(["export"], { ...one.env, ...credentials })).toMatchObject({ code: 3, stdout: "" });
});

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { readApplyFile } from "../../src/cli/api/apply/apply-file.ts";
import { codeBlocks, readPages } from "../support/checks/doc-pages.ts";
import { runToEnd } from "../support/processes/children.ts";
import { runFanfare } from "../support/processes/fanfare-command.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { Stage } from "../support/stages/stage.ts";

test("the blocks of the command line's page work as they are, with a server and keys of their own", async () => {
  const page = readPages("docs/cli.md").get("docs/cli.md") ?? "";
  const [[login = ""], [file = "", lists = ""], [program = ""]] = [
    codeBlocks(page, "sh"),
    codeBlocks(page, "yaml"),
    codeBlocks(page, "ts"),
  ];
  const stage = await Stage.open();
  const { fanfare, api, credentials } = await stage.server();
  const real = (text: string) => text.replace("https://fanfare.example.com", fanfare.origin);

  const env = { XDG_CONFIG_HOME: stage.folder, YOUTUBE_KEY: "yt", ARCHIVE_KEY: "ar" };
  const words = real(login)
    .trim()
    .replace(/--access-key \S+/, `--access-key ${credentials.accessKey}`)
    .split(" ");
  expect(words.shift()).toBe("fanfare");
  const signedIn = await runFanfare(words, { ...env, FANFARE_SECRET_KEY: credentials.secretKey });
  expect(signedIn).toMatchObject({ code: 0, stderr: "" });

  const path = join(stage.folder, "channels.yaml");
  writeFileSync(path, file);
  const applied = await runFanfare(["apply", "-f", path], env);
  expect(applied).toMatchObject({ code: 0, stdout: "+ channel sunday_show with 2 platforms\n1 step done.\n" });
  expect((await api.channels())[0]).toMatchObject({
    channelName: "sunday_show",
    latency: "low",
    hold: { seconds: 300 },
  });

  writeFileSync(path, lists);
  expect(
    readApplyFile(path, { ARCHIVE_KEY: "ar", CREW_HOOK: "https://hooks.slack.com/services/T0/B0/X" }),
  ).toMatchObject({
    channels: [{ schedules: [{ scheduleName: "Evening", files: ["intro.mp4", "show.mp4"], startAt: "20:00" }] }],
    contacts: [{ contactName: "crew", channels: ["sunday_show"] }],
  });

  const client = pathToFileURL(join(ROOT, "src", "client", "client.ts")).href;
  const keys = `accessKey: "${credentials.accessKey}", secretKey: "${credentials.secretKey}"`;
  const ours = real(program).replace('"fanfare/client"', `"${client}"`).replace('accessKey: "…", secretKey: "…"', keys);
  const script = join(stage.folder, "program.ts");
  writeFileSync(script, `${ours}console.log(error, data?.content[0]?.channelName);\n`);
  expect(await runToEnd(process.execPath, [script])).toBe("undefined sunday_show\n");
});

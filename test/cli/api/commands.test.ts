import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { startChild } from "../../support/processes/children.ts";
import { type CommandResult, runFanfare, runHere } from "../../support/processes/fanfare-command.ts";
import { commandLineFile, ROOT } from "../../support/processes/fanfare-process.ts";
import { Stage } from "../../support/stages/stage.ts";

/** A server, and the command line of somebody who signed in to it. */
async function signedIn() {
  const stage = await Stage.open();
  const { fanfare, api, credentials } = await stage.server();
  const env = { XDG_CONFIG_HOME: join(stage.folder, "config") };
  const secret = { FANFARE_SECRET_KEY: credentials.secretKey };
  const login = await runFanfare(["login", fanfare.origin, "--access-key", credentials.accessKey], {
    ...env,
    ...secret,
  });
  expect(login).toMatchObject({ code: 0, stderr: "" });
  const run = (...args: string[]): Promise<CommandResult> => runHere(args, env);
  return { stage, api, fanfare, env, run };
}

test("from a shell: sign in, create, list, apply a file, see a failing platform, and nothing on air is disturbed unasked", async () => {
  const { stage, api, run, env } = await signedIn();
  expect(statSync(join(env.XDG_CONFIG_HOME, "fanfare", "profiles.json")).mode & 0o777).toBe(0o600);
  const target = await stage.target();
  const created = await runFanfare(["channels", "create", "show", "CUSTOM", target.url, "key-of-shell"], env);
  expect(created).toMatchObject({ code: 0, stderr: "" });
  const [channel] = await api.channels();
  if (channel === undefined) throw new Error("no channel");
  expect(channel).toMatchObject({ channelName: "show", latency: "efficient" });
  expect((await run("channels", "show", "show", "--json")).stdout).toContain(channel.streamKey);
  expect(await run("channels", "show", "nothing")).toMatchObject({ code: 4, stdout: "" });

  // An export is a file that changes nothing.
  const { stdout: yaml } = await run("export");
  const file = join(stage.folder, "channels.yaml");
  writeFileSync(file, yaml);
  expect((await run("apply", "-f", file)).stdout).toBe("Nothing to change.\n");

  stage.kitEncoder(channel, { clip: syntheticClip() });
  const watch = stage.watch(api, channel);
  await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", 60_000);
  const status = await run("status");
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toMatch(/^show .* PUBLISHING /m);

  writeFileSync(file, yaml.replace("latency: efficient", "latency: low").replace("seconds: 120", "seconds: 60"));
  const refused = await runFanfare(["apply", "-f", file], env);
  expect(refused).toMatchObject({ code: 6, stdout: "" });
  expect(refused.stderr).toContain('latency "efficient" → "low"');
  expect((await api.channels())[0]).toMatchObject({ latency: "efficient" });
  const dry = await run("apply", "-f", file, "--dry-run", "--json");
  expect(JSON.parse(dry.stdout)).toMatchObject({ isDone: false, steps: [{ kind: "change-channel", isOnAir: true }] });
  expect(await run("apply", "-f", file, "--on-air")).toMatchObject({ code: 0, stderr: "" });
  expect((await api.channels())[0]).toMatchObject({ latency: "low", hold: { seconds: 60 } });

  const deleted = await run("channels", "delete", "show");
  expect(deleted).toMatchObject({ code: 6, stderr: "fanfare: show is on air: give --on-air to end its broadcast.\n" });
  expect(await run("channels", "delete", "show", "--on-air")).toMatchObject({ code: 0 });
  expect(await api.channels()).toEqual([]);
  const pull = 'pull: { url: "rtsp://camera:word@192.0.2.7/1", enabled: false }';
  writeFileSync(file, yaml.replace("channelName: show\n", `channelName: show\n    ${pull}\n`));
  expect((await run("import", "-f", file)).stdout).toBe("+ channel show with 1 platform\n1 step done.\n");
  expect((await run("apply", "-f", file)).stdout).toBe("Nothing to change.\n");
  expect((await run("export")).stdout).toContain("url: rtsp://camera:****@192.0.2.7/1\n      enabled: false\n");
});

test("the table of states has the trouble of a platform in its own row, and is printed again at a change", async () => {
  const { stage, api, env } = await signedIn();
  const [target, dead] = [await stage.target(), { url: "rtmp://127.0.0.1:9/live" }];
  const platforms = [target, dead].map(({ url }, index) => ({ rtmpUrl: url, streamKey: `key-of-row-${index}` }));
  const channel = await api.createChannel("rows", platforms);
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const watching = await startChild(process.execPath, [commandLineFile(), "status", "--watch"], {
    ...{ cwd: ROOT, env: { PATH, NODE_COMPILE_CACHE, ...env } },
  });
  stage.onClose(() => watching.stop("SIGTERM", 3_000));
  await expect.poll(() => watching.stdout(), { timeout: 60_000 }).toContain("off air");
  stage.kitEncoder(channel, { clip: syntheticClip() });
  await expect.poll(() => watching.stdout(), { timeout: 60_000 }).toMatch(/ PUBLISHING .*\n.* FAIL /);
  const { code, stdout } = await runFanfare(["status"], env);
  const [, well = "", failed = ""] = stdout.split("\n");
  expect(code).toBe(6);
  expect(well).toMatch(/^rows +broken .* PUBLISHING +\d+ kbit\/s *$/);
  expect(failed).toMatch(/^rows +broken .* FAIL .*TARGET_FORBIDDEN: /);
});

test("events are printed as they happen", async () => {
  const { stage, run, api, env } = await signedIn();
  const { PATH, NODE_COMPILE_CACHE } = process.env;
  const tail = await startChild(process.execPath, [commandLineFile(), "events", "tail", "--json"], {
    ...{ cwd: ROOT, env: { PATH, NODE_COMPILE_CACHE, ...env } },
  });
  stage.onClose(() => tail.stop("SIGTERM", 3_000));
  // Connected once an event comes: each try makes one.
  await expect
    .poll(
      async () => {
        await run("channels", "create", `c${Date.now() % 1e9}`, "CUSTOM", "rtmp://live.example.com/app", "k");
        return tail.stdout();
      },
      { timeout: 60_000 },
    )
    .toContain('"eventCode":"STREAM_RESERVE"');
  expect((await api.channels()).length).toBeGreaterThan(0);
});

test("each kind of failure has an exit code of its own", async () => {
  const stage = await Stage.open();
  const { fanfare } = await stage.server();
  const env = {
    XDG_CONFIG_HOME: join(stage.folder, "config"),
    FANFARE_URL: fanfare.origin,
    FANFARE_SECRET_KEY: "wrong",
  };
  const code = async (args: readonly string[], more = {}) => (await runHere(args, { ...env, ...more })).code;
  expect((await runFanfare(["channels"], env)).code).toBe(3);
  expect(await code(["channels"])).toBe(3);
  expect(await code(["channels"], { FANFARE_URL: "http://127.0.0.1:1" })).toBe(1);
  expect(await code(["channels"], { FANFARE_URL: "" })).toBe(2);
  expect(await code(["channels"], { FANFARE_URL: "localhost:8080" })).toBe(2);
  expect(await code(["channels", "fly"])).toBe(2);
  expect(await code(["login", "ftp://example.com"])).toBe(2);
});

test("a platform's id is decimal digits and nothing else: no other way to write a number reaches a platform", async () => {
  const { stage, api, run } = await signedIn();
  const target = await stage.target();
  const { channelId } = await api.createChannel("ids", [{ rtmpUrl: target.url, streamKey: "key-of-ids" }]);
  const [platform] = await api.platforms(channelId);
  if (platform === undefined) throw new Error("no platform");
  const { platId } = platform;
  const written = [`0x${platId.toString(16)}`, `0b${platId.toString(2)}`, `0o${platId.toString(8)}`, `${platId}e0`];
  const others = [`${platId}.0`, `+${platId}`, ` ${platId}`, `${platId} `, `${platId}\n`, "", "99999999999999999999"];
  for (const word of [...written, ...others]) {
    for (const action of ["on", "off", "retry", "cut", "remove", "test"]) {
      const { code, stderr } = await run("platforms", action, "ids", word);
      expect([action, word, code, stderr]).toEqual([
        ...[action, word, 2],
        `fanfare: PLATFORM_ID: ${JSON.stringify(word)} is not allowed; allowed is a whole number from 1 to 9007199254740991.\n`,
      ]);
    }
  }
  expect(await api.platforms(channelId)).toEqual([platform]);
  expect(await run("platforms", "off", "ids", `${platId}`)).toMatchObject({ code: 0 });
  expect(await api.platforms(channelId)).toMatchObject([{ platId, enabled: false }]);
});

test("completion knows every command, its words and its options", async () => {
  const { stdout } = await runFanfare(["completion", "bash"]);
  const lines = [
    ...["chan", "platforms cu", "nodes ", "testkit pr", "completion z"],
    ...["channels delete show --o", "apply --dr", "status --w", "doctor x"],
    ...["backup folder --enc", "doctor --clo", "upgrade --srt-po", "demo --r", "login https://f.example --p"],
  ];
  const asked = lines.map((line) => {
    const words = `fanfare ${line}`.split(" ").map((word) => `"${word}"`);
    return `COMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _fanfare; echo "\${COMPREPLY[*]}"`;
  });
  const bash = await startChild("bash", ["-c", [stdout, ...asked].join("\n")], {});
  expect(await bash.exited).toMatchObject({ code: 0 });
  expect(bash.stdout().split("\n")).toEqual([
    ...["channels", "cut", "move", "proxy", "zsh"],
    ...["--on-air", "--dry-run", "--watch", ""],
    ...["--encryption-key-file", "--clock", "--srt-port", "--rtmp-port", "--profile", ""],
  ]);
  const fish = await runFanfare(["completion", "fish"]);
  expect(fish.stdout).toContain(
    '__fish_seen_subcommand_from nodes; and not __fish_seen_subcommand_from move" -a "move"',
  );
});

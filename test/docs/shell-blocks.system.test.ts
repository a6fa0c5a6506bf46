import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { ANSWER_SCHEMAS } from "../../src/api-contract/schemas/answer-schemas.ts";
import { codeBlocks } from "../support/checks/doc-pages.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { Stage, uniqueKey } from "../support/stages/stage.ts";

const run = promisify(execFile);

const blocksOf = (page: string, language: string) => codeBlocks(readFileSync(join(ROOT, page), "utf8"), language);

test("README's commands work as they stand, with a key, a channel and the server's ports put in", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { fanfare, api, credentials } = await stage.server();
  const channel = await api.createChannel("readme", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("r") },
  ]);
  const [start = "", publish = "", curl = ""] = blocksOf("README.md", "sh");
  // The clone is the folder that this test is in. `npm start` is a script of it.
  expect(start).toBe("git clone <this repository> fanfare && cd fanfare\nnpm start\n");
  const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
  expect(scripts.start).toBe("exec node scripts/run.mjs start");

  const video = join(stage.folder, "some-video.mp4");
  const source = ["-f", "lavfi", "-i", "testsrc=size=320x180:rate=30", "-f", "lavfi", "-i", "sine"];
  await run("ffmpeg", ["-v", "error", ...source, "-t", "3", "-c:v", "libx264", "-c:a", "aac", video]);
  const command = publish
    .trim()
    .replace("some-video.mp4", video)
    .replace("rtmp://localhost:1935/relay/STREAM_KEY", `${channel.publishUrl}/${channel.streamKey}`);
  expect(command).not.toBe(publish.trim());
  await run("sh", ["-c", command]);
  expect(target.connections[0]?.report.mediaBytes).toBeGreaterThan(10_000);

  const read = curl
    .replace("SECRET_KEY", credentials.secretKey)
    .replace("CHANNEL_ID", channel.channelId)
    .replace("http://localhost:8080", fanfare.origin);
  const { stdout } = await run("sh", ["-c", read]);
  const { content } = JSON.parse(stdout);
  expect(content).toMatchObject([{ targetName: "CUSTOM", totalRetryCount: 0 }]);

  // What README shows as the answer has only fields that the API has.
  const [shown = ""] = blocksOf("README.md", "json");
  const some = ANSWER_SCHEMAS.Platform.partial().extend({
    lastError: ANSWER_SCHEMAS.Platform.shape.lastError.unwrap().partial().optional(),
  });
  for (const platform of JSON.parse(shown).content) expect(some.safeParse(platform).error).toBeUndefined();
});

test("the bench's command has only options that the bench knows", () => {
  const [command = ""] = blocksOf("bench/README.md", "sh");
  const source = readFileSync(join(ROOT, "bench", "relay-cost.ts"), "utf8");
  const flags = [...command.matchAll(/--([a-z-]+) /g)].map(([, flag = ""]) => flag);
  expect(flags).toEqual(["fan-out", "relays", "outputs", "seconds", "rounds"]);
  for (const flag of flags) expect(source, flag).toMatch(new RegExp(`^ {4}"?${flag}"?: \\{ type: "string"`, "m"));
});

test("Caddy accepts the page's configurations", async () => {
  const stage = await Stage.open();
  const blocks = blocksOf("docs/reverse-proxy.md", "caddy");
  expect(blocks).toHaveLength(2);
  for (const [index, block] of blocks.entries()) {
    const file = join(stage.folder, `Caddyfile${index}`);
    writeFileSync(file, block);
    const { stdout } = await run("/usr/bin/caddy", ["adapt", "--config", file, "--adapter", "caddyfile"]);
    expect(stdout).toContain('"dial":"127.0.0.1:8080"');
  }
});

test("Traefik's configuration is YAML of the shape that it reads", () => {
  const [block = ""] = blocksOf("docs/reverse-proxy.md", "yaml");
  expect(parse(block)).toEqual({
    http: {
      routers: { fanfare: { rule: "Host(`example.com`) && PathPrefix(`/fanfare`)", service: "fanfare", tls: {} } },
      services: { fanfare: { loadBalancer: { servers: [{ url: "http://127.0.0.1:8080" }] } } },
    },
  });
});

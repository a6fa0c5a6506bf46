import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { ApiClient } from "../../support/dashboard/api-client.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { Stage } from "../../support/stages/stage.ts";

/** The first command that begins with `curl`, with the lines that continue it by a backslash, or by an open quote. */
function curlExample(stdout: string): string {
  const lines = stdout.split("\n");
  const start = lines.findIndex((line) => line.trimStart().startsWith("curl "));
  if (start < 0) throw new Error(`no curl command in:\n${stdout}`);
  let example = "";
  for (const line of lines.slice(start)) {
    example += `${line}\n`;
    const hasOpenQuote = (example.match(/'/g) ?? []).length % 2 === 1;
    if (!line.endsWith("\\") && !hasOpenQuote) return example;
  }
  throw new Error(`a curl command without an end in:\n${stdout}`);
}

test("the first start shows addresses, a key and an example that works unchanged, and the secret only once", async () => {
  const stage = await Stage.open();
  const fanfare = await stage.fanfare({});
  const shown = await waitFor("the example", 5_000, () =>
    /\bcurl [\s\S]*\n\n/.test(fanfare.stdout) ? fanfare.stdout : undefined,
  );
  expect(shown).toContain(`rtmp://127.0.0.1:${fanfare.rtmpPort}/`);
  expect(shown).toContain(`:${fanfare.httpPort}`);
  const accessKey = /\b[A-Z0-9]{20}\b/.exec(shown)?.[0] ?? "";
  const secretKey = /\b[A-Za-z0-9]{40}\b/.exec(shown)?.[0] ?? "";

  const answer = JSON.parse(await runToEnd("sh", ["-c", curlExample(shown)]));
  const { content } = z
    .object({ content: z.looseObject({ channelId: z.string(), streamKey: z.string() }) })
    .parse(answer);
  const api = new ApiClient(fanfare.origin, { accessKey, secretKey }, () => {});
  expect((await api.channels()).map((channel) => channel.channelId)).toEqual([content.channelId]);

  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  await fanfare.restart();
  expect(fanfare.stdout).not.toContain(secretKey);
  expect((await api.channels()).map((channel) => channel.streamKey)).toEqual([content.streamKey]);
  // The key of a channel is not in the output or the log.
  stage.keepSecret(content.streamKey);
});

test("a start in a folder that others read, with files of others in it, says so", async () => {
  const stage = await Stage.open();
  const folder = join(stage.folder, "data");
  await mkdir(folder, { mode: 0o755 });
  await writeFile(join(folder, "letter.txt"), "");
  const fanfare = await stage.fanfare({});
  expect(fanfare.output).toMatch(
    /data folder .* \(mode 0755\); it holds more .*"event":"the data folder is not private"/,
  );
});

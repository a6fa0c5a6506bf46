import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { codeBlocks, readPages } from "../support/checks/doc-pages.ts";
import { Stage } from "../support/stages/stage.ts";

const CREDENTIALS = { accessKey: "DOCS0000000000000001", secretKey: "docs-secret-000000000000000000000000001" };

/** The code blocks of the API's pages in one language, in their order; the first page defines what the others use. */
const PAGES = [...readPages("docs/api.md", "docs/api/channels.md", "docs/api/live.md", "docs/api/events.md").values()];
const blocks = (language: string) => PAGES.flatMap((page) => codeBlocks(page, language));

/** Standard output, and the error if any. */
async function run(command: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
  const child = spawn(command, args, { env: { PATH: process.env["PATH"], ...environment } });
  const ended = new Promise<number | null>((resolve, reject) => child.on("close", resolve).on("error", reject));
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { stdout, stderr, code };
}

test("the examples of the API's page run unchanged: shell, TypeScript, Python", async () => {
  const stage = await Stage.open();
  const fanfare = await stage.fanfare({ credentials: CREDENTIALS });
  const { accessKey: ACCESS_KEY, secretKey: SECRET_KEY } = CREDENTIALS;
  const environment = { API: fanfare.origin, ACCESS_KEY, SECRET_KEY };

  // One shell for all blocks, because later ones use what earlier ones define. A line ends the output of each.
  const shell = blocks("sh").map((block) => `${block}\necho; echo "== end of block"\n`);
  expect(shell.length).toBeGreaterThanOrEqual(4);
  const inShell = await run("sh", ["-c", shell.join("")], environment);
  expect(inShell.stderr).toBe("");
  expect(inShell.stdout).not.toContain('"error"');
  const [created = "", platforms = "", signed = "", ...rest] = inShell.stdout.split("== end of block\n");
  expect(JSON.parse(created).content).toMatchObject({ channelName: "my_channel", platformCount: 2 });
  expect(JSON.parse(platforms).content).toMatchObject([{ connectStatus: "READY" }, { connectStatus: "READY" }]);
  expect(signed.match(/\{"content":/g)).toHaveLength(4);
  expect(signed).toContain('"channelName":"renamed"');
  expect(signed).toContain('"targetName":"TWITCH"');
  expect(rest.join("")).toMatch(/event: snapshot\ndata: \{"time":\d+,"channels":\[/);

  const [program = ""] = blocks("ts");
  const file = join(stage.folder, "example.ts");
  await writeFile(file, program);
  const inTypeScript = await run(process.execPath, [file], environment);
  expect(inTypeScript).toMatchObject({ code: 0, stderr: "" });
  expect(inTypeScript.stdout).toMatch(/^send to rtmp:\/\/127\.0\.0\.1:\d+\/relay\/[a-z0-9]{32}\n\d+ READY\n$/);

  const [script = ""] = blocks("python");
  const inPython = await run("python3", ["-c", script], environment);
  expect(inPython).toMatchObject({ code: 0, stderr: "" });
  expect(inPython.stdout).toMatch(/^ls-\d{14}-\w{5} from_typescript READY\nls-\d{14}-\w{5} renamed READY\n$/);
});

test("every JSON block of README and docs is JSON", () => {
  const all = [...readPages("README.md", "docs").values()].flatMap((page) => codeBlocks(page, "json"));
  expect(all.length).toBeGreaterThanOrEqual(8);
  for (const block of all) expect(() => JSON.parse(block)).not.toThrow();
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startChild } from "../support/processes/children.ts";
import { commandLineFile, ROOT } from "../support/processes/fanfare-process.ts";

/** A command with a long result that needs no server. */
const COMPLETION = `"${process.execPath}" "${commandLineFile()}" completion bash`;

async function shell(line: string) {
  const { PATH } = process.env;
  const child = await startChild("bash", ["-c", line], { cwd: ROOT, env: { PATH } });
  const { code } = await child.exited;
  return { code, stdout: child.stdout(), stderr: child.stderr() };
}

async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-output-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("output of which a disk took a part is a failure", async () => {
  const file = join(await emptyFolder(), "part");
  // Of one block of the file system's limit, and then nothing.
  const { code, stderr } = await shell(`ulimit -f 1; ${COMPLETION} > ${file}`);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "fanfare: the output could not be written: EFBIG: file too large, write\n",
  });
  expect((await readFile(file)).length).toBe(1_024);
});

test("a file gets all of what a pipe gets, and a reader that leaves early is no failure", async () => {
  const file = join(await emptyFolder(), "whole");
  const { stdout } = await shell(`${COMPLETION} > ${file}; ${COMPLETION}`);
  expect(await readFile(file, "utf8")).toBe(stdout);
  expect(stdout.length).toBeGreaterThan(1_024);
  expect(await shell(`${COMPLETION} | true; echo \${PIPESTATUS[0]}`)).toEqual({
    ...{ code: 0, stdout: "0\n", stderr: "" },
  });
});

test("events that nobody reads any more end the command, without a word", async () => {
  const streams: (() => void)[] = [];
  const server = createServer((request, response) => {
    if (request.url?.includes("/stream") !== true) return response.end(JSON.stringify({ content: [], total: 0 }));
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write('event: snapshot\ndata: {"channels":[]}\n\n');
    let id = 0;
    streams.push(() => {
      id += 1;
      response.write(`event: event\ndata: {"id":${id},"eventCode":"STREAM_UPDATE"}\n\n`);
    });
    return undefined;
  });
  onTestFinished(() => void server.close().closeAllConnections());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const child = spawn(process.execPath, [commandLineFile(), "events", "tail", "--json"], {
    cwd: ROOT,
    env: { PATH: process.env["PATH"], FANFARE_URL: `http://127.0.0.1:${port}`, FANFARE_SECRET_KEY: "secret" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  const exited = once(child, "exit");
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  await expect.poll(() => streams.length).toBe(1);
  streams[0]?.();
  await once(child.stdout, "data");
  child.stdout.destroy();
  const sending = setInterval(() => streams[0]?.(), 50);
  onTestFinished(() => clearInterval(sending));
  expect(await exited).toEqual([0, null]);
  expect(stderr).toBe("");
});

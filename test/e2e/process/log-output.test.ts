import { spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ApiClient } from "../../support/dashboard/api-client.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { commandLineFile, ROOT } from "../../support/processes/fanfare-process.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";

const CREDENTIALS = { accessKey: "LOGOUTPUT00000000001", secretKey: "log-output-secret-00000000000000000000001" };
/** Each is a line; more than waits for a reader, whose pipe takes 64 KiB besides. */
const REQUESTS = 2_500;
const AT_A_TIME = 50;
/** What supervisors are promised. */
const STOP_MS_MAX = 5_000;

/** The server with this as its standard output and standard error, which are closed here. */
async function start(descriptor: number) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  const [httpPort, rtmpPort] = [await freePort(), await freePort()];
  const child = spawn(process.execPath, [commandLineFile()], {
    cwd: ROOT,
    stdio: ["ignore", descriptor, descriptor],
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      FANFARE_DATA_DIR: folder,
      FANFARE_HTTP_HOST: "127.0.0.1",
      FANFARE_HTTP_PORT: `${httpPort}`,
      FANFARE_RTMP_HOST: "127.0.0.1",
      FANFARE_RTMP_PORT: `${rtmpPort}`,
      FANFARE_ACCESS_KEY: CREDENTIALS.accessKey,
      FANFARE_SECRET_KEY: CREDENTIALS.secretKey,
    },
  });
  closeSync(descriptor);
  const ended = new Promise<number | string | null>((resolve) =>
    child.once("exit", (code, name) => resolve(code ?? name)),
  );
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await ended;
    rmSync(folder, { recursive: true });
  });
  const origin = `http://127.0.0.1:${httpPort}`;
  const api = new ApiClient(origin, CREDENTIALS, () => undefined);
  await waitFor("the server", 15_000, () => api.channels().catch(() => undefined));
  const answerAll = async () => {
    const ask = async () => await (await fetch(`${origin}/livez`)).text();
    for (let count = 0; count < REQUESTS; count += AT_A_TIME) await Promise.all(Array.from({ length: AT_A_TIME }, ask));
  };
  const lost = async () => {
    const metrics = await (await fetch(`${origin}/metrics`)).text();
    return Number(/^fanfare_log_lines_lost_total (\d+)$/m.exec(metrics)?.[1]);
  };
  const stop = async () => {
    const startMs = performance.now();
    child.kill("SIGTERM");
    const end = await ended;
    return { end, ms: performance.now() - startMs };
  };
  return { answerAll, lost, stop };
}

async function expectEnd({ stop }: Awaited<ReturnType<typeof start>>): Promise<void> {
  const { end, ms } = await stop();
  expect(end).toBe(0);
  expect(ms).toBeLessThan(STOP_MS_MAX);
}

test("a log on a full disk leaves the server able to start, answer, count the lines and end in time", async () => {
  const server = await start(openSync("/dev/full", "w"));
  await server.answerAll();
  expect(await server.lost()).toBeGreaterThan(100);
  await expectEnd(server);
});

test("a log without a reader does the same, and a later reader finds whole lines and how many are missing", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "pipe");
  await runToEnd("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(reader));
  const server = await start(openSync(path, "w"));
  await server.answerAll();
  const lost = await server.lost();
  expect(lost).toBeGreaterThan(100);

  const read = await waitFor("the word about the loss", 10_000, takeAll(reader));
  const lines = read.split("\n").slice(0, -1);
  const parsed = lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const { lines: counted } = parsed.find(({ event }) => event === "log lines were lost") ?? {};
  expect(counted).toBeGreaterThanOrEqual(lost);
  await expectEnd(server);
});

test("a log whose reader has gone does the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "pipe");
  await runToEnd("mkfifo", [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const server = await start(openSync(path, "w"));
  closeSync(reader);
  await server.answerAll();
  expect(await server.lost()).toBeGreaterThan(100);
  await expectEnd(server);
});

/** Reads what there is each time; returns all of it once it has a line about a loss and a whole line after that. */
function takeAll(descriptor: number): () => string | undefined {
  const part = Buffer.alloc(64 * 1_024);
  let text = "";
  return () => {
    try {
      for (let length = readSync(descriptor, part); length > 0; length = readSync(descriptor, part)) {
        text += part.subarray(0, length).toString();
      }
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "EAGAIN")) throw error;
    }
    return /lines were lost"\}\n/.test(text) ? text : undefined;
  };
}

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startChild } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { freePort } from "../support/processes/free-port.ts";
import { waitFor } from "../support/processes/waiting.ts";

const DEADLINE_MS = 50_000;
const STOP_GRACE_MS = 10_000;

test("npm run dev serves the dashboard's sources, and passes API calls to the server that it started", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const [vitePort, httpPort, rtmpPort] = [await freePort(), await freePort(), await freePort()];
  const options = ["--host", "127.0.0.1", "--port", `${vitePort}`, "--strictPort"];
  const dev = await startChild(process.execPath, ["scripts/run.mjs", "dev", ...options], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
      FANFARE_DATA_DIR: join(folder, "data"),
      FANFARE_HTTP_HOST: "127.0.0.1",
      FANFARE_HTTP_PORT: `${httpPort}`,
      FANFARE_RTMP_HOST: "127.0.0.1",
      FANFARE_RTMP_PORT: `${rtmpPort}`,
    },
  });
  // Killed at once, it would leave its two children behind.
  onTestFinished(async () => void (await dev.stop("SIGTERM", STOP_GRACE_MS)), 2 * STOP_GRACE_MS);
  const origin = `http://127.0.0.1:${vitePort}`;
  // Vite waits for open connections when it is stopped.
  const headers = { connection: "close" };
  const get = (path: string) => fetch(`${origin}${path}`, { headers }).catch(() => undefined);
  const said = () => `${dev.stdout()}${dev.stderr()}`;
  await waitFor("the server", DEADLINE_MS, async () => (await get("/livez"))?.status === 200 || undefined, said);

  // A page of the dashboard's own, its source, and what that source imports from outside web/.
  expect(await (await get("/setup"))?.text()).toContain('src="/src/main.tsx"');
  expect(await (await get("/src/main.tsx"))?.text()).toContain("/src/app.tsx");
  expect((await get(`/@fs${ROOT}/src/api-contract/operations.ts`))?.status).toBe(200);

  // The server compares Origin and Host, and takes the page for its own.
  const token = await waitFor("the link", DEADLINE_MS, () => /\/setup#token=(\S+)/.exec(dev.stdout())?.[1], said);
  const answer = await fetch(`${origin}/dashboard/setup`, {
    method: "POST",
    headers: { ...headers, origin, "content-type": "application/json" },
    body: JSON.stringify({ token, password: "correct horse battery" }),
  });
  expect(answer.status, await answer.text()).toBe(200);
  expect(answer.headers.getSetCookie()).not.toEqual([]);

  expect(await dev.stop("SIGTERM", STOP_GRACE_MS)).toEqual({ code: 0, signal: null });
  expect(await get("/livez")).toBeUndefined();
});

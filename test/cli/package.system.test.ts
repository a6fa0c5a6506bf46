import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { runToEnd, startChild } from "../support/processes/children.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { freePort } from "../support/processes/free-port.ts";

const READY = /^Fanfare is ready\.$/m;
const DASHBOARD = /^ {2}Dashboard:\s+(http:\S+)$/m;

test("the package installs into an empty prefix, without what only its makers need, and serves API and dashboard", async () => {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-package-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  // `npm test` has built dist/ and dist-web/ before.
  const packed = await runToEnd("npm", ["pack", "--ignore-scripts", "--json", "--pack-destination", folder], {
    cwd: ROOT,
  });
  const [made] = z
    .array(z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }))
    .parse(JSON.parse(packed));
  const paths = made?.files.map(({ path }) => path) ?? [];
  expect(paths).toEqual(
    expect.arrayContaining([
      "dist/cli/main.js",
      "dist/client/client.js",
      "dist/client/api-types.d.ts",
      "dist-web/index.html",
    ]),
  );
  expect(paths.filter((path) => /^(src|test|bench|scripts|web)\//.test(path))).toEqual([]);

  const prefix = join(folder, "prefix");
  const quiet = ["--no-audit", "--no-fund", "--prefer-offline", "--omit=dev"];
  await runToEnd("npm", ["install", "--global", "--prefix", prefix, ...quiet, join(folder, made?.filename ?? "")]);
  const installed = join(prefix, "lib", "node_modules", "fanfare");
  for (const name of ["vitest", "typescript", "playwright-core", "node"]) {
    expect(existsSync(join(installed, "node_modules", name)), name).toBe(false);
  }
  const fanfare = join(prefix, "bin", "fanfare");
  const env = {
    PATH: `${join(process.execPath, "..")}:${process.env["PATH"]}`,
    FANFARE_DATA_DIR: join(folder, "data"),
    FANFARE_HTTP_PORT: `${await freePort()}`,
    FANFARE_RTMP_PORT: `${await freePort()}`,
  };
  const server = await startChild(fanfare, [], { env, cwd: folder });
  onTestFinished(() => server.stop("SIGTERM", 10_000).then(() => undefined));
  await expect.poll(() => server.stdout(), { timeout: 60_000 }).toMatch(READY);
  const origin = DASHBOARD.exec(server.stdout())?.[1] ?? "";
  expect(await (await fetch(origin, { headers: { accept: "text/html" } })).text()).toContain("<title>Fanfare");
  expect((await fetch(new URL("/openapi.json", origin))).status).toBe(200);

  const program = join(folder, "client.mjs");
  await writeFile(
    program,
    `import { createFanfareClient } from ${JSON.stringify(join(installed, "dist", "client", "client.js"))};
const { error, response } = await createFanfareClient({ server: ${JSON.stringify(origin)}, secretKey: "wrong" }).GET("/re-stream/channels");
console.log(response.status, error.error.message);`,
  );
  expect(await runToEnd(process.execPath, [program])).toBe("401 Authentication Failed\n");
});

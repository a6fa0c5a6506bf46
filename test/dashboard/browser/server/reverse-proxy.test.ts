import { readFileSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { syntheticClip } from "../../../../src/testkit/encoder/clip.ts";
import { openBrowser, openContext, setUp, watchErrors } from "../../../support/dashboard/browser.ts";
import { press } from "../../../support/dashboard/press.ts";
import { ROOT } from "../../../support/processes/fanfare-process.ts";
import { freePort } from "../../../support/processes/free-port.ts";
import { startCaddy, startNginx } from "../../../support/processes/proxy-in-front.ts";
import { certificate } from "../../../support/stages/certificates.ts";
import { type Server, Stage, uniqueKey } from "../../../support/stages/stage.ts";

const PAGE = readFileSync(join(ROOT, "docs", "reverse-proxy.md"), "utf8");
const NAME = "fanfare.example.com";

/** The document's examples in one language, in order, with this server's port. */
function examples(language: string, { fanfare }: Server): string[] {
  const blocks = [...PAGE.matchAll(new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    ([, text = ""]) => text,
  );
  expect(blocks.length).toBeGreaterThan(0);
  return blocks.map((text) => {
    expect(text).toContain("127.0.0.1:8080");
    return text.replace("127.0.0.1:8080", `127.0.0.1:${fanfare.httpPort}`);
  });
}

test("nginx works as the page says, with a name of its own and TLS: Host with its port, the client's address, a Secure cookie", async () => {
  const stage = await Stage.open();
  const [, allowed = ""] = /export FANFARE_ALLOWED_HOSTS=(\S+)/.exec(PAGE) ?? [];
  const [, trusted = ""] = /export FANFARE_TRUSTED_PROXIES=(\S+)/.exec(PAGE) ?? [];
  const server = await stage.server({
    environment: { FANFARE_ALLOWED_HOSTS: allowed, FANFARE_TRUSTED_PROXIES: trusted },
  });
  const pair = certificate(NAME);
  const [certificateFile, keyFile] = [join(stage.folder, "cert.pem"), join(stage.folder, "key.pem")];
  writeFileSync(certificateFile, pair.cert);
  writeFileSync(keyFile, pair.key);
  const port = await freePort();
  const [whole = ""] = examples("nginx", server);
  const config = whole
    .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
    .replace("/etc/ssl/fanfare.pem", certificateFile)
    .replace("/etc/ssl/fanfare.key", keyFile);
  await startNginx(stage, "nginx", config, port);

  const host = `${NAME}:${port}`;
  const token = /setup#token=(\S+)/.exec(server.fanfare.stdout)?.[1];
  const body = JSON.stringify({ token, password: "correct horse battery" });
  const answer = await new Promise<{ status: number | undefined; cookies: readonly string[] }>((resolve, reject) => {
    const headers = { host, origin: `https://${host}`, "content-type": "application/json" };
    const options = {
      host: "127.0.0.1",
      port,
      servername: NAME,
      ca: pair.cert,
      method: "POST",
      path: "/dashboard/setup",
    };
    const outgoing = request({ ...options, headers }, (incoming) => {
      incoming.resume();
      resolve({ status: incoming.statusCode, cookies: incoming.headers["set-cookie"] ?? [] });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
  expect(answer.status).toBe(200);
  expect(answer.cookies).toHaveLength(2);
  for (const cookie of answer.cookies) expect(cookie).toMatch(/; Path=\/.*; Secure$/);
});

const below = await Stage.open(afterAll);
const serverBelow = await below.server({
  environment: { FANFARE_BASE_PATH: "/fanfare", FANFARE_TRUSTED_PROXIES: "127.0.0.0/8" },
});

test.each(["nginx", "caddy"])(
  "a server below a path behind %s works as the page says: signed in, live, a preview, other pages, and signed requests",
  async (kind) => {
    const stage = await Stage.open();
    const target = await stage.target();
    const { fanfare, api } = serverBelow;
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    if (kind === "nginx") {
      const [, lines = ""] = examples("nginx", serverBelow);
      await startNginx(stage, "nginx", `server { listen 127.0.0.1:${port}; ${lines} }`, port);
    } else {
      const [, lines = ""] = examples("caddy", serverBelow);
      await startCaddy(
        stage,
        "caddy",
        lines.replace("example.com {", `http://localhost:${port} {\n\tbind 127.0.0.1`),
        port,
      );
    }
    const browser = await openBrowser(stage);
    const page = await (await openContext(browser)).newPage();
    const errors = watchErrors(page);
    await setUp(page, { origin: `${origin}/fanfare`, stdout: fanfare.stdout });
    expect(new URL(page.url()).pathname).toBe("/fanfare/");

    const channel = await api.createChannel(`behind_${kind}`, [
      { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
    ]);
    stage.kitEncoder(channel, { clip: syntheticClip() });
    // This comes over the live stream, through the proxy.
    const card = page.locator(".card", { hasText: channel.channelName });
    await card.locator(".rate-line").waitFor();
    await press(card);
    await page.locator(".platform .state", { hasText: "On air" }).waitFor();
    expect(new URL(page.url()).pathname).toBe(`/fanfare/channels/${channel.channelId}`);
    await page.reload();
    await page.locator(".platform .state", { hasText: "On air" }).waitFor();
    await press(page.getByRole("link", { name: "Settings" }));
    await page.getByRole("heading", { name: "Settings", level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toBe("/fanfare/settings");
    expect(errors).toEqual([]);

    // The path as a client sees it.
    const path = `/fanfare/api/v2/re-stream/channels/${channel.channelId}`;
    const signed = await fetch(`${origin}${path}`, { headers: api.signedHeaders("GET", path) });
    expect(signed.status).toBe(200);
    const tokenPath = `${path}/preview-token`;
    const made = await fetch(`${origin}${tokenPath}`, {
      method: "POST",
      headers: api.signedHeaders("POST", tokenPath),
    });
    const { content } = (await made.json()) as { content: { url: string } };
    const preview = await fetch(`${origin}${content.url}`);
    const first = await preview.body?.getReader().read();
    expect(
      Buffer.from(first?.value ?? [])
        .subarray(0, 3)
        .toString(),
    ).toBe("FLV");
  },
);

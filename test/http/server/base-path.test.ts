import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { parseBasePath, withoutBasePath } from "../../../src/http/server/base-path.ts";
import { Api, CHANNELS } from "../api.ts";

const folder = mkdtempSync(join(tmpdir(), "fanfare-web-"));
mkdirSync(join(folder, "assets"));
writeFileSync(
  join(folder, "index.html"),
  '<link href="./icon.svg"><script src="./assets/main.js"></script><a href="/x">',
);
writeFileSync(join(folder, "assets", "main.js"), "export {};");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["/", ""],
  ["", ""],
  ["/fanfare", "/fanfare"],
  ["/fanfare/", "/fanfare"],
  ["/a.b/c-d_~", "/a.b/c-d_~"],
  ["fanfare", undefined],
  ["//", undefined],
  ["/a//b", undefined],
  ["/a/../b", undefined],
  ["/.", undefined],
  ["/a b", undefined],
  ["/a?b", undefined],
  ['/"><script>', undefined],
  ["/%66", undefined],
  [`/${"a".repeat(256)}`, undefined],
])("the base path %j is %j", (text, basePath) => {
  expect(parseBasePath(text)).toBe(basePath);
});

test.each([
  ["/fanfare", "/"],
  ["/fanfare?a=1", "/?a=1"],
  ["/fanfare/", "/"],
  ["/fanfare/api/v2/x?y=/fanfare", "/api/v2/x?y=/fanfare"],
  // A proxy removed it, or it is another path.
  ["/api/v2/x", "/api/v2/x"],
  ["/fanfares/api", "/fanfares/api"],
  ["/fanfare/fanfare/x", "/fanfare/x"],
])("%s below /fanfare is %s", (target, rest) => {
  expect(withoutBasePath(target, "/fanfare")).toBe(rest);
});

describe("a server below /fanfare", () => {
  let api: Api;
  beforeEach(async () => {
    api = await Api.open({ basePath: "/fanfare", applicationFolder: folder });
  });
  afterEach(() => api.close());
  const get = (url: string, headers: Record<string, string> = {}) => api.server.inject({ method: "GET", url, headers });

  test("accepts signatures over the path as the client sees it, and as it comes, whether or not a proxy removes the prefix", async () => {
    const both = [CHANNELS, `/fanfare${CHANNELS}`];
    const statusOf = async (url: string, signed: string) =>
      (await get(url, api.signedHeaders("GET", signed))).statusCode;
    for (const url of both) {
      for (const signed of both) expect([url, signed, await statusOf(url, signed)]).toEqual([url, signed, 200]);
      expect(await statusOf(url, `/other${CHANNELS}`)).toBe(401);
    }
  });

  test("serves page, files, health and documents on both paths, and names them as the browser finds them", async () => {
    for (const base of ["", "/fanfare"]) {
      const page = await get(`${base}/channels/ls-1`, { accept: "text/html" });
      expect([page.statusCode, page.body]).toEqual([
        200,
        '<link href="/fanfare/icon.svg"><script src="/fanfare/assets/main.js"></script><a href="/x">',
      ]);
      expect((await get(`${base}/assets/main.js`)).body).toBe("export {};");
      expect((await get(`${base}/livez`)).statusCode).toBe(200);
      expect((await get(`${base}/docs`)).body).toContain('<a href="openapi.json">');
      const { servers } = (await get(`${base}/openapi.json`)).json();
      expect(servers.map(({ url }: { url: string }) => url)).toEqual(["/fanfare/api/v2", "/fanfare/api/fin-v2"]);
    }
    expect((await get("/fanfare", { accept: "text/html" })).statusCode).toBe(200);
    expect((await get("/fanfare/nothing")).statusCode).toBe(404);
  });

  test("sets cookies for its path alone, and returns addresses below it", async () => {
    const headers = { host: "fanfare.example", origin: "http://fanfare.example", "content-type": "application/json" };
    const token = await api.dashboard.offerSetup();
    const payload = JSON.stringify({ token, password: "correct horse" });
    const answer = await api.server.inject({ method: "POST", url: "/fanfare/dashboard/setup", headers, payload });
    const paths = [answer.headers["set-cookie"] ?? []].flat().map((cookie) => /Path=([^;]*)/.exec(cookie)?.[1]);
    expect(paths).toEqual(["/fanfare/", "/fanfare/dashboard"]);
    const { channelId } = await api.create();
    const made = await api.post(`${CHANNELS}/${channelId}/preview-token`);
    expect(made.body.content.url).toMatch(/^\/fanfare\/preview\/ls-.*\.flv\?token=/);
  });
});

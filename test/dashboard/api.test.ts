import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from "vitest";

/** In a page, addresses without a host are this server's. */
class PageRequest extends Request {
  constructor(input: string | URL | Request, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, "http://fanfare.example") : input, init);
  }
}

type Asked = { readonly method: string; readonly path: string; readonly body: string; readonly keepalive: boolean };

let asked: Asked[];
let respond: (signal?: AbortSignal | null) => Response | Promise<Response>;
let web: typeof import("../../web/src/base/api.ts");

beforeAll(async () => {
  vi.stubGlobal("Request", PageRequest);
  vi.stubGlobal("fetch", async (request: Request, { signal }: RequestInit = {}) => {
    const { pathname, search } = new URL(request.url);
    const path = `${pathname.replace(/^.*(?=\/(?:api|dashboard)\/)/, "")}${search}`;
    asked.push({ method: request.method, path, body: await request.text(), keepalive: request.keepalive });
    return respond(signal);
  });
  // The client takes what is global when it is made.
  vi.resetModules();
  web = await import("../../web/src/base/api.ts");
});
afterAll(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});
beforeEach(() => {
  asked = [];
});

test("a call fills its path and query, and sends its body as JSON", async () => {
  respond = () => Response.json({ content: { platId: 7 } });
  const { api, content, ofPlatform } = web;
  const path = "/re-stream/channels/{channelId}/platforms/{platformId}";
  const params = { path: { channelId: "ls/1", platformId: 7 }, query: { onAir: "true" } } as const;
  const body = { rtmpUrl: "rtmp://a.example/live", streamKey: "k" };
  expect(await content(api.PUT(path, { params, body }))).toEqual({ platId: 7 });
  await api.PUT(`${path}/off`, { ...ofPlatform("ls-1", 7), keepalive: true });
  expect(asked).toEqual([
    {
      ...{ method: "PUT", path: "/api/v2/re-stream/channels/ls%2F1/platforms/7?onAir=true" },
      ...{ body: JSON.stringify(body), keepalive: false },
    },
    { method: "PUT", path: "/api/v2/re-stream/channels/ls-1/platforms/7/off", body: "", keepalive: true },
  ]);
});

test("a page of a list has the number of all, also where the answer does not say it", async () => {
  const { api, page } = web;
  respond = () => Response.json({ content: [{ id: 2 }, { id: 1 }], total: 90 });
  expect(await page(api.GET("/events"))).toEqual({ items: [{ id: 2 }, { id: 1 }], total: 90 });
  respond = () => Response.json({ content: [{ id: 2 }] });
  expect((await page(api.GET("/nodes"))).total).toBe(1);
});

test("a refusal rejects with its code, details, words for people and the time to wait", async () => {
  const { api } = web;
  const error = { errorCode: "250002", message: "rtmpUrl: invalid value.", details: "no key", hint: "h", hintKo: "k" };
  respond = () => Response.json({ error }, { status: 400 });
  await expect(api.GET("/nodes")).rejects.toMatchObject({
    ...{ name: "ApiError", code: "250002", message: "rtmpUrl: invalid value.", details: "no key" },
    hint: { en: "h", ko: "k" },
  });
  respond = () => new Response("<html>", { status: 429, headers: { "retry-after": "7" } });
  await expect(api.GET("/nodes")).rejects.toMatchObject({ code: "limited", retryAfterSeconds: 7 });
});

test("a server that cannot be reached, and one that answers with nothing, are problems of the network", async () => {
  const { answer, dashboard } = web;
  respond = () => Promise.reject(new TypeError("Failed to fetch"));
  await expect(answer(dashboard.GET("/session"))).rejects.toMatchObject({ code: "network" });
  respond = () => new Response(null, { status: 204 });
  await expect(answer(dashboard.GET("/session"))).rejects.toMatchObject({ code: "network" });
  // The connection breaks behind the headers, and a page of a hotel's network.
  const cut = new ReadableStream({ start: (stream) => stream.error(new TypeError("network error")) });
  const headers = { "content-type": "application/json" };
  for (const response of [
    new Response(cut, { headers }),
    new Response("<html>", { headers: { "content-type": "text/html" } }),
  ]) {
    respond = () => response;
    await expect(dashboard.DELETE("/session")).rejects.toMatchObject({ name: "ApiError", code: "network" });
  }
  expect(asked).toHaveLength(4);
});

test("a call without a response is given up after 20 s, and the test of a platform after 90", async () => {
  const { api, ofPlatform } = web;
  const ended = new AbortController();
  const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(ended.signal);
  onTestFinished(() => timeout.mockRestore());
  respond = (signal) =>
    new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(new DOMException("late", "TimeoutError"))),
    );
  const calls = [
    api.GET("/nodes"),
    api.POST("/re-stream/channels/{channelId}/platforms/{platformId}/test", ofPlatform("ls-1", 7)),
  ];
  const outcomes = Promise.all(calls.map((call) => call.catch(({ code }: { readonly code: string }) => code)));
  await expect.poll(() => timeout.mock.calls).toEqual([[20_000], [90_000]]);
  await expect.poll(() => asked.length).toBe(2);
  await new Promise(setImmediate);
  ended.abort();
  expect(await outcomes).toEqual(["network", "network"]);
});

import { afterEach, describe, expect, test } from "vitest";
import { parseOrigins } from "../../../src/http/server/cross-origin.ts";
import { Api, CHANNEL, CHANNELS, VIEWER } from "../api.ts";

let api: Api;
afterEach(() => api.close());

describe("HEAD", () => {
  const head = (url: string, headers: Record<string, string> = {}) =>
    api.server.inject({ method: "HEAD", url, headers });

  test("is GET without the body wherever GET is, signed as HEAD where that is signed", async () => {
    api = await Api.open();
    const { channelId } = await api.create();
    for (const url of ["/livez", "/readyz", "/metrics", "/docs", "/openapi.json"]) {
      const [answer, whole] = [await head(url), await api.server.inject({ method: "GET", url })];
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, ""]);
      expect(answer.headers["content-type"]).toBe(whole.headers["content-type"]);
    }
    for (const path of [
      "/re-stream/presets",
      "/access-keys",
      "/events/deliveries",
      `/re-stream/channels/${channelId}/reports`,
    ]) {
      const url = `/api/v2${path}`;
      const answer = await head(url, api.signedHeaders("HEAD", url));
      const whole = await api.server.inject({ method: "GET", url, headers: api.signedHeaders("GET", url) });
      expect([url, answer.statusCode, answer.body]).toEqual([url, 200, ""]);
      expect(answer.headers["content-length"]).toBe(String(Buffer.byteLength(whole.body)));
      expect((await head(url, api.signedHeaders("GET", url))).statusCode).toBe(401);
    }
    // A viewer reads.
    const presets = "/api/v2/re-stream/presets";
    expect((await head(presets, api.signedHeaders("HEAD", presets, VIEWER))).statusCode).toBe(200);
  });

  test("of an event stream or a preview ends with its head, and takes no place", async () => {
    api = await Api.open({ limits: { eventStreamsPerKey: 1 } });
    const { channelId } = await api.create();
    const stream = "/api/v2/re-stream/events/stream";
    for (let count = 0; count < 3; count += 1) {
      const answer = await head(stream, api.signedHeaders("HEAD", stream));
      expect([answer.statusCode, answer.headers["content-type"]]).toEqual([200, "text/event-stream;charset=utf-8"]);
    }
    const made = await api.post(`${CHANNELS}/${channelId}/preview-token`);
    expect((await head(made.body.content.url)).statusCode).toBe(409);
    const encoder = {
      ingestId: 1,
      slot: "main",
      remoteAddress: "192.0.2.1",
      encoder: "",
      isBroadcastNew: true,
    } as const;
    api.view.fact({ kind: "ingest-started", time: api.clock.wallMs, channelId, ...encoder });
    for (let count = 0; count < 10; count += 1) expect((await head(made.body.content.url)).statusCode).toBe(200);
    expect((await head(`/preview/${channelId}.flv?token=wrong`)).statusCode).toBe(401);
  });

  test("of the original's own calls, and of calls without GET, is an unknown URL", async () => {
    api = await Api.open();
    const { channelId } = await api.create();
    const own = ["", `/${channelId}`, `/${channelId}/platforms`, `/${channelId}/publish-log`, `/${channelId}/events`];
    const urls = [...own.map((path) => `${CHANNELS}${path}`), "/api/v2/events", "/api/fin-v2/events/callbackEndpoint"];
    for (const url of [...urls, `${CHANNELS}/${channelId}/on`, "/nothing"]) {
      expect([url, (await head(url, api.signedHeaders("HEAD", url))).statusCode]).toEqual([url, 404]);
    }
  });
});

describe("a page of another origin", () => {
  const PAGE = "https://panel.example.com";
  const preflight = (origin: string | undefined, url = CHANNELS) =>
    api.server.inject({
      method: "OPTIONS",
      url,
      headers: { ...(origin === undefined ? {} : { origin }), "access-control-request-method": "POST" },
    });

  test("may send the API's headers where its origin is allowed, and only then", async () => {
    api = await Api.open({ allowedOrigins: [PAGE] });
    const answer = await preflight(PAGE);
    expect([answer.statusCode, answer.body]).toEqual([204, ""]);
    expect(answer.headers).toMatchObject({
      "access-control-allow-origin": PAGE,
      "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE",
      "access-control-max-age": "600",
      vary: "Origin",
    });
    const allowed = String(answer.headers["access-control-allow-headers"]).split(", ");
    for (const name of Object.keys(api.signedHeaders("POST", CHANNELS))) expect(allowed).toContain(name);
    expect(allowed).toContain("authorization");
    // An upload in pieces, a part of a recording, a keyframe that is known, a live stream that goes on, a caller's trace.
    const ofCalls = ["content-range", "range", "if-range", "if-none-match", "last-event-id", "traceparent"];
    expect(ofCalls.filter((name) => !allowed.includes(name))).toEqual([]);
    // No cookies are sent.
    expect(answer.headers).not.toHaveProperty("access-control-allow-credentials");
    for (const other of ["https://evil.example.com", "http://panel.example.com", "null", undefined]) {
      expect([other, (await preflight(other)).statusCode]).toEqual([other, 404]);
    }
    for (const url of ["/dashboard/session", "/preview/x.flv", "/"])
      expect((await preflight(PAGE, url)).statusCode).toBe(404);
    const made = await api.call({ method: "POST", url: CHANNELS, body: CHANNEL, headers: { origin: PAGE } });
    expect([made.status, made.headers["access-control-allow-origin"]]).toEqual([200, "*"]);
    const exposed = String(made.headers["access-control-expose-headers"]).split(", ");
    const ofAnswers = ["x-ncp-trace-id", "etag", "content-range", "accept-ranges", "content-disposition"];
    expect(ofAnswers.filter((name) => !exposed.includes(name))).toEqual([]);
  });

  test("may not by default, and any may where the setting says so", async () => {
    api = await Api.open();
    expect((await preflight(PAGE)).statusCode).toBe(404);
    await api.close();
    api = await Api.open({ allowedOrigins: ["*"] });
    expect((await preflight("http://any.example")).headers["access-control-allow-origin"]).toBe("http://any.example");
  });
});

test.each([
  ["", []],
  ["*", ["*"]],
  ["https://a.example, http://localhost:5173", ["https://a.example", "http://localhost:5173"]],
  ["https://A.example/", ["https://a.example"]],
  ["a.example", undefined],
  ["https://a.example/path", undefined],
  ["ftp://a.example", undefined],
  ["null", undefined],
])("the origins %j are %j", async (text, origins) => {
  api = await Api.open();
  expect(parseOrigins(text)).toEqual(origins);
});

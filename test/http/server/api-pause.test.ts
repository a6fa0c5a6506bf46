import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { waitFor } from "../../support/processes/waiting.ts";
import { Api, CHANNELS } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const status = async (url: string) => (await api.server.inject({ method: "GET", url })).statusCode;

test("while another process takes over, calls are told to come again, and what needs no database is answered", async () => {
  await api.pause.begin();
  for (const url of ["/livez", "/readyz", "/readyz?for=ingest", "/metrics", "/stat"])
    expect([url, await status(url)]).toEqual([url, 200]);
  const paused = await api.call({ method: "GET", url: CHANNELS });
  expect([paused.status, paused.headers["retry-after"]]).toEqual([503, "5"]);
  expect(await status("/dashboard/session")).toBe(503);
  // An unknown address stays unknown.
  expect(await status("/nothing")).toBe(404);
  api.pause.end();
  expect((await api.call({ method: "GET", url: CHANNELS })).status).toBe(200);
});

test("calls that are under way are answered first", async () => {
  const mayGoOn = Promise.withResolvers<void>();
  const isAsked = Promise.withResolvers<void>();
  const list = api.service.listChannels.bind(api.service);
  vi.spyOn(api.service, "listChannels").mockImplementation(async (...given) => {
    isAsked.resolve();
    await mayGoOn.promise;
    return list(...given);
  });
  const call = api.call({ method: "GET", url: CHANNELS });
  await isAsked.promise;
  const paused = api.pause.begin().then(() => "paused");
  const turn = new Promise((resolve) => setImmediate(() => resolve("waits")));
  expect(await Promise.race([paused, turn])).toBe("waits");
  mayGoOn.resolve();
  expect((await call).status).toBe(200);
  expect(await paused).toBe("paused");
});

test("an event stream that is open holds nothing up", async () => {
  const url = "/api/v2/re-stream/events/stream";
  const stream = api.server.inject({
    method: "GET",
    url,
    headers: { ...api.signedHeaders("GET", url), host: "localhost" },
  });
  await waitFor("the reader", 10_000, () => (api.live.readerCount === 1 ? true : undefined));
  const turn = new Promise((resolve) => setImmediate(() => resolve("waits")));
  expect(await Promise.race([api.pause.begin().then(() => "paused"), turn])).toBe("paused");
  api.live.close();
  expect((await stream).statusCode).toBe(200);
});

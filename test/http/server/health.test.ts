import { afterEach, beforeEach, expect, test } from "vitest";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { buildMetricsServer } from "../../../src/http/routes/health.ts";
import { Health } from "../../../src/http/server/health.ts";
import { HostNames } from "../../../src/http/server/host-names.ts";
import { Api, CHANNELS, MANAGER } from "../api.ts";

/** No channel is on air. */
const NONE = { onAir: () => [] };

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

const get = (url: string) => api.server.inject({ method: "GET", url });

test("livez and readyz return ok, unsigned and in plain text", async () => {
  for (const url of ["/livez", "/readyz"]) {
    const answer = await get(url);
    expect([answer.statusCode, answer.body]).toEqual([200, "ok\n"]);
    expect(answer.headers["content-type"]).toBe("text/plain;charset=utf-8");
  }
});

test.each([
  [new StoreUnavailableError("locked"), "The database is locked by another process.\n"],
  [new StoreUnavailableError("full"), "The disk of the database is full.\n"],
  [new StoreUnavailableError("crowded"), "The database server has no connection or memory left.\n"],
  [new StoreUnavailableError("refused"), "The database server does not let this server in, or not at its tables.\n"],
  [new StoreUnavailableError("slow"), "The database server takes too long.\n"],
  [new StoreUnavailableError("damaged"), "The database is damaged, or its disk fails.\n"],
  [new Error("anything"), "The database cannot be written.\n"],
])("readyz is 503 while the database cannot be written (%s), and heals by itself", async (error, text) => {
  api.probe = () => Promise.reject(error);
  const answer = await get("/readyz");
  expect([answer.statusCode, answer.body]).toEqual([503, text]);
  expect((await get("/livez")).statusCode).toBe(200);
  api.probe = () => Promise.resolve();
  api.clock.advance(1_000);
  expect((await get("/readyz")).statusCode).toBe(200);
});

test("readyz lists the server's own troubles, after the database's", async () => {
  api.troubles.set("descriptors", true);
  const lacks = "This server has no file descriptors left: ";
  expect(await get("/readyz")).toMatchObject({ statusCode: 503, body: expect.stringMatching(`^${lacks}.*\n$`) });
  api.probe = () => Promise.reject(new StoreUnavailableError("full"));
  api.clock.advance(1_000);
  expect((await get("/readyz")).body).toContain(`The disk of the database is full. ${lacks}`);
  api.probe = () => Promise.resolve();
  api.clock.advance(1_000);
  api.troubles.set("descriptors", false);
  expect((await get("/readyz")).body).toBe("ok\n");
});

test("readyz lists each trouble of the database once", async () => {
  api.troubles.set("database-unwritable", true);
  expect((await get("/readyz")).body).toMatch(/^This server's database accepts no writes/);
  api.probe = () => Promise.reject(new StoreUnavailableError("full"));
  api.clock.advance(1_000);
  expect((await get("/readyz")).body).toBe("The disk of the database is full.\n");
  api.troubles.set("database-unwritable", false);
  api.troubles.set("database-damaged", true);
  expect((await get("/readyz")).body).toMatch(/^The disk of the database is full\. This server's database is damaged/);
  api.probe = () => Promise.reject(new StoreUnavailableError("damaged"));
  api.clock.advance(1_000);
  expect((await get("/readyz")).body).toMatch(/^This server's database is damaged, .*damaged\.\n$/);
});

test("the database is tried once a second at most, however many ask", async () => {
  let probes = 0;
  api.probe = async () => {
    probes += 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => get("/readyz")));
  api.clock.advance(999);
  await get("/readyz");
  expect(probes).toBe(1);
  api.clock.advance(1);
  await get("/readyz");
  expect(probes).toBe(2);
});

test("a server that is about to stop is alive and not ready", async () => {
  api.health.drain();
  const answer = await get("/readyz");
  expect([answer.statusCode, answer.body]).toEqual([503, "The server is stopping.\n"]);
  expect((await get("/livez")).statusCode).toBe(200);
});

test("closing the server drains it", async () => {
  await api.server.close();
  expect(await api.health.problem()).toBe("The server is stopping.");
});

test("metrics have the latency of every answer by route, and nothing of what was sent", async () => {
  const { channelId, streamKey } = await api.create();
  await api.get(`${CHANNELS}/${channelId}`);
  await api.get(`${CHANNELS}/${channelId}`, { ...MANAGER, secretKey: "x" });
  await api.server.inject({ method: "GET", url: "/canary-url" });
  const answer = await get("/metrics");
  expect(answer.headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = answer.body.split("\n");
  const route = `/api/v2/re-stream/channels/:channelId`;
  const count = 'fanfare_api_request_duration_seconds_count{method="GET"';
  expect(lines).toContain(`${count},route="${route}",status="200"} 1`);
  expect(lines).toContain(`${count},route="${route}",status="401"} 1`);
  expect(lines).toContain(`${count},route="none",status="404"} 1`);
  for (const secret of [streamKey, MANAGER.secretKey, "canary-url"]) expect(answer.body).not.toContain(secret);
});

test("metrics are made once a second at most", async () => {
  const { body } = await get("/metrics");
  await api.get(CHANNELS);
  expect((await get("/metrics")).body).toBe(body);
  api.clock.advance(1_000);
  expect((await get("/metrics")).body).not.toBe(body);
});

test("metrics can have a server of their own, and are then nowhere else", async () => {
  const here = await Api.open({ areMetricsHere: false });
  expect((await here.server.inject({ method: "GET", url: "/metrics" })).statusCode).toBe(404);
  await here.close();
  const own = buildMetricsServer({
    source: api.metrics,
    onAir: NONE,
    clock: api.clock,
    log: { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined },
    hosts: new HostNames([]),
  });
  const answer = await own.inject({ method: "GET", url: "/metrics" });
  expect(answer.body).toContain("fanfare_channels_on_air 0");
  expect((await own.inject({ method: "GET", url: "/readyz" })).statusCode).toBe(404);
  const other = await own.inject({ method: "GET", url: "/metrics", headers: { host: "evil.example" } });
  expect([other.statusCode, other.body.includes("fanfare_")]).toEqual([400, false]);
  await own.close();
});

const IDLE = {
  isDraining: false,
  egressBitsPerSecond: 0,
  capacityBitsPerSecond: 1_000,
  loopDelayMs: 1,
  loopDelayMsMax: 150,
  descriptorShare: 0,
};

test.each([
  [IDLE, undefined],
  [{ ...IDLE, egressBitsPerSecond: 800, loopDelayMs: 150, descriptorShare: 0.8 }, undefined],
  [{ ...IDLE, egressBitsPerSecond: 1e9, capacityBitsPerSecond: undefined, descriptorShare: undefined }, undefined],
  [{ ...IDLE, isDraining: true }, "The server drains: it takes no new channels."],
  [{ ...IDLE, egressBitsPerSecond: 801 }, "The server sends more than 80 % of what it can."],
  [{ ...IDLE, loopDelayMs: 151 }, "A thread of the server is more than 150 ms late."],
  [{ ...IDLE, descriptorShare: 0.81 }, "The server has more than 80 % of its file descriptors open."],
])("whether new channels may be sent here follows from the load (%j)", (load, problem) => {
  const health = new Health({
    ...{ clock: api.clock, probe: () => Promise.reject(new Error("away")), troubles: () => [], ingestLoad: () => load },
  });
  expect(health.ingestProblem()).toBe(problem);
  health.drain();
  expect(health.ingestProblem()).toBe("The server is stopping.");
});

test("readyz for ingest does not depend on the database", async () => {
  api.probe = () => Promise.reject(new StoreUnavailableError("unreachable"));
  expect((await get("/readyz?for=ingest")).statusCode).toBe(200);
  expect((await get("/readyz")).statusCode).toBe(503);
});

import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, CHANNELS, service, VIEWER } from "../api.ts";

let api: Api;
beforeEach(async () => {
  api = await Api.open();
  // Signatures are checked against the real clock.
  api.clock.wallMs = Date.now();
});
afterEach(() => api.close());

const EVENTS = "/api/v2/events/callbackEndpoint";

test("a channel's own webhook gets one signed message that names the channel, and the answer has its reply", async () => {
  const { channelId } = await api.create();
  const url = `${CHANNELS}/${channelId}/callbackEndpoint`;
  const set = await api.post(url, { callbackEndpoint: "https://hooks.example.com/secret-path" });
  expect((await api.post(`${url}/test`)).body.content).toEqual({
    ...{ ok: true, url: "https://hooks.example.com/secret-path", lastStatus: 204, milliseconds: 0 },
  });
  const [message] = api.events.posted;
  expect(
    new Webhook(set.body.content.webhookSecret).verify(String(message?.body ?? ""), { ...message?.headers }),
  ).toEqual({
    ...{ id: 0, logLevel: "INFO", channelId, channelName: "channel001", event: "WEBHOOK_TEST" },
    ...{ timestamp: api.clock.wallMs, description: "This is a test: nothing happened." },
  });
  api.events.postResult = { problem: "DNS_FAILED" };
  expect((await api.post(`${url}/test`)).body.content).toMatchObject({ ok: false, lastProblem: "DNS_FAILED" });
  api.events.postResult = { status: 500 };
  expect((await api.post(`${url}/test`)).body.content).toMatchObject({ ok: false, lastStatus: 500 });
});

test("the webhook of all channels is tested apart, and where none is set there is nothing to test", async () => {
  const { channelId } = await api.create();
  for (const url of [EVENTS, `${CHANNELS}/${channelId}/callbackEndpoint`]) {
    const missing = await api.post(`${url}/test`);
    expect([missing.status, missing.body]).toMatchObject([
      404,
      service(250004, "NOT_FOUND", "Callback endpoint not found."),
    ]);
  }
  await api.post(EVENTS, { callbackUrl: "https://hooks.example.com/all" });
  expect((await api.post(`${EVENTS}/test`)).body.content.ok).toBe(true);
  expect(api.events.posted).toHaveLength(1);
});

test("a viewer may send none", async () => {
  const { status } = await api.post(`${EVENTS}/test`, undefined, VIEWER);
  expect([status, api.events.posted]).toEqual([401, []]);
});

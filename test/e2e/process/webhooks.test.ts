import { Webhook } from "standardwebhooks";
import { expect, type TestContext, test } from "vitest";
import { z } from "zod";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { WebhookReceiver } from "../../support/processes/webhook-receiver.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** The first pauses between attempts are 2.5 to 5 s and 5 to 10 s; and some for a busy machine. */
const TWO_RETRIES_MS = 30_000;

const endpointAnswer = z.looseObject({ callbackUrl: z.string(), webhookSecret: z.string() });
const payload = z.strictObject({
  id: z.int(),
  logLevel: z.enum(["INFO", "WARN", "ERROR"]),
  channelId: z.string(),
  event: z.string(),
  timestamp: z.int(),
  channelName: z.string().min(1),
  description: z.string().min(1),
  platId: z.int().optional(),
  targetName: z.string().optional(),
  reason: z.string().optional(),
});
const deliveries = z.array(z.looseObject({ id: z.int(), state: z.string(), attempts: z.int() }));

/** The `webhook-id` that goes with this body. */
function idOf(body: string): string {
  const { id, timestamp } = payload.parse(JSON.parse(body));
  return `evt_${id}_${timestamp}`;
}

async function openReceiver({ onTestFinished }: Pick<TestContext, "onTestFinished">): Promise<WebhookReceiver> {
  const receiver = await WebhookReceiver.start();
  onTestFinished(() => receiver.close());
  return receiver;
}

test.concurrent("every event arrives, in order and signed, at a receiver that fails twice, from a server that is killed in between", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api, fanfare } = await stage.server();
  const [receiver, nginx] = [await openReceiver({ onTestFinished }), await stage.nginx()];
  let failureCount = 0;
  let isRestarted = false;
  receiver.answerWith(() => {
    if (isRestarted && failureCount >= 2) return 204;
    failureCount += 1;
    return 503;
  });
  const callbackUrl = `http://127.0.0.1:${receiver.port}/hook?token=t`;
  const endpoint = endpointAnswer.parse(await api.request("POST", "/api/v2/events/callbackEndpoint", { callbackUrl }));
  stage.keepSecret(endpoint.webhookSecret);

  const channel = await api.createChannel("webhooks", [{ rtmpUrl: nginx.url, streamKey: uniqueKey("hook") }]);
  await waitFor("the first attempt", 10_000, () => (receiver.received.length >= 1 ? true : undefined));
  // Events while the first delivery fails wait behind it.
  const clip = await makeClip({ seconds: 3 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  expect(await encoder.exited).toEqual({ code: 0, signal: null });
  const eventsUrl = `/api/v2/events?channelId=${channel.channelId}`;
  await waitFor("the broadcast's end", 10_000, async () => {
    const codes = JSON.stringify(await api.request("GET", eventsUrl));
    return codes.includes("PUBLISH_END") && codes.includes('"to":"READY"') ? true : undefined;
  });
  await fanfare.kill();
  isRestarted = true;
  await fanfare.restart();

  const taken = () => receiver.received.filter(({ status }) => status === 204);
  const expected = ["STREAM_RESERVE", "PUBLISH_START", "SIMULCAST_STATUS_CHANGE"];
  await waitFor("all deliveries", TWO_RETRIES_MS, () => (taken().length >= 5 ? true : undefined));
  const bodies = taken().map(({ body }) => payload.parse(JSON.parse(body)));
  expect(bodies.map(({ event }) => event).slice(0, 3)).toEqual(expected);
  expect(bodies.map(({ event }) => event).toSorted()).toEqual(
    [...expected, "SIMULCAST_STATUS_CHANGE", "PUBLISH_END"].toSorted(),
  );
  expect(bodies.map(({ id }) => id)).toEqual(bodies.map(({ id }) => id).toSorted((left, right) => left - right));
  expect(bodies.every(({ channelId }) => channelId === channel.channelId)).toBe(true);
  const failed = receiver.received.filter(({ status }) => status === 503);
  expect(failed.map(({ headers }) => headers["webhook-id"])).toEqual(failed.map(({ body }) => idOf(body)));
  expect(failed.length).toBeGreaterThanOrEqual(2);
  for (const { headers, body, url } of receiver.received) {
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(endpoint.webhookSecret).verify(body, signed)).toEqual(JSON.parse(body));
    expect(url).toBe("/hook?token=t");
  }
  const listed = deliveries.parse(await api.request("GET", "/api/v2/events/deliveries"));
  expect(listed.map(({ state }) => state)).toEqual(listed.map(() => "DELIVERED"));

  const before = receiver.received.length;
  const resent = await api.request("POST", `/api/v2/events/deliveries/${bodies[1]?.id ?? 0}/resend`);
  expect(resent).toMatchObject({ state: "WAITING" });
  await waitFor("the delivery that was sent again", 10_000, () =>
    receiver.received.length > before ? true : undefined,
  );
  expect(receiver.received.at(-1)?.headers["webhook-id"]).toBe(`evt_${bodies[1]?.id}_${bodies[1]?.timestamp}`);
});

test.concurrent("a webhook into a network that is not allowed, or to the server itself, is never connected to", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const receiver = await openReceiver({ onTestFinished });
  const metricsPort = await freePort();
  const { api, fanfare, credentials } = await stage.server({
    environment: { FANFARE_TARGET_ALLOW: "127.0.0.1/32", FANFARE_METRICS_LISTEN: `127.0.0.1:${metricsPort}` },
  });
  const problemAt = async (channelName: string, callbackUrl: string) => {
    const answer = await api.request("POST", "/api/v2/events/callbackEndpoint", { callbackUrl });
    stage.keepSecret(endpointAnswer.parse(answer).webhookSecret);
    const target = { rtmpUrl: "rtmp://live.example.com/app", streamKey: uniqueKey(channelName) };
    const { channelId } = await api.createChannel(channelName, [target]);
    return waitFor("the attempt", 10_000, async () => {
      const [delivery] = deliveries.parse(await api.request("GET", `/api/v2/events/deliveries?channelId=${channelId}`));
      return delivery?.attempts === 1 ? (delivery["lastProblem"] ?? delivery["lastStatus"]) : undefined;
    });
  };
  expect(await problemAt("forbidden", `http://127.0.0.2:${receiver.port}/`)).toBe("ADDRESS_FORBIDDEN");
  expect(receiver.connectionCount).toBe(0);
  // The same port is accepted where the network is: the address was refused.
  expect(await problemAt("allowed", `http://127.0.0.1:${receiver.port}/`)).toBe(200);
  expect(await problemAt("ourselves", `${fanfare.origin}/`)).toBe("ADDRESS_FORBIDDEN");
  expect(await problemAt("our_encoders", `http://127.0.0.1:${fanfare.rtmpPort}/`)).toBe("ADDRESS_FORBIDDEN");
  expect(await problemAt("our_metrics", `http://127.0.0.1:${metricsPort}/metrics`)).toBe("ADDRESS_FORBIDDEN");
  // Who set the endpoint of a channel is told in its events.
  const [{ channelId = "" } = {}] = await api.channels();
  const own = await api.request("POST", `/api/v2/re-stream/channels/${channelId}/callbackEndpoint`, {
    callbackUrl: `http://127.0.0.1:${receiver.port}/own`,
  });
  stage.keepSecret(z.looseObject({ webhookSecret: z.string() }).parse(own).webhookSecret);
  await waitFor("who changed it", 10_000, async () => {
    const events = z
      .array(z.looseObject({ reason: z.string().optional(), by: z.string().optional() }))
      .parse(await api.request("GET", `/api/v2/re-stream/channels/${channelId}/events`));
    return events.find(({ reason, by }) => reason === "callback-changed" && by === credentials.accessKey);
  });
});

test.concurrent("a server that is stopped while on air has the end of the broadcast in its publish log", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api, fanfare } = await stage.server();
  const channel = await api.createChannel("stopped", [{ rtmpUrl: nginx.url, streamKey: uniqueKey("stopped") }]);
  const clip = await makeClip({ seconds: 10 });
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  const watch = stage.watch(api, channel);
  await watch.until(0, (platform) => platform.connectStatus === "PUBLISHING", 10_000);
  await watch.stop();
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  await encoder.exited;
  await fanfare.restart();
  const log = await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/publish-log`);
  expect(log).toMatchObject([
    { eventCode: "PUBLISH_END", reason: "shutdown" },
    { eventCode: "PUBLISH_START", channelId: channel.channelId },
  ]);
});

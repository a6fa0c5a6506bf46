import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { WebhookReceiver } from "../../support/processes/webhook-receiver.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

const stage = await Stage.open(afterAll);
const chat = await WebhookReceiver.start();
stage.onClose(() => chat.close());
const nginx = await stage.nginx();

test("a chat room hears of a platform that fails, once, also when the server was killed before it could tell", async () => {
  const { api, fanfare } = await stage.server();
  const webhookUrl = `http://127.0.0.1:${chat.port}/hook`;
  const contact = { contactName: "Room", contactKind: "discord", webhookUrl };
  await api.request("POST", "/api/v2/events/contacts", contact);
  const platforms = [
    { rtmpUrl: nginx.url, streamKey: uniqueKey("good"), label: "Good" },
    { rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/live`, streamKey: uniqueKey("bad"), label: "Nowhere" },
  ];
  const channel = await api.createChannel("room", platforms);
  const clip = await makeClip({ seconds: 4 });
  await stage.ffmpeg(clip, publishUrl(channel));
  let events = "";
  await waitFor(
    "the failure among the events",
    10_000,
    async () => {
      events = JSON.stringify(await api.request("GET", `/api/v2/events?channelId=${channel.channelId}`));
      return events.includes("TCP_REFUSED") || undefined;
    },
    () => events,
  );
  expect(chat.received).toEqual([]);
  await fanfare.kill();
  await fanfare.restart();
  await waitFor("a message", 30_000, () => chat.received[0]);
  const texts = chat.received.map(({ body }) => z.object({ content: z.string() }).parse(JSON.parse(body)).content);
  expect(texts[0]).toMatch(/^Fanfare: room\n/);
  expect(texts[0]).toContain("Nowhere");
  expect(texts[0]).not.toContain("Good");
});

test("a chat room hears of a failure once what happens was gathered for ten seconds, without a look each minute", async () => {
  const room = await WebhookReceiver.start();
  stage.onClose(() => room.close());
  const { api } = await stage.server({ dataFolder: join(stage.folder, "soon") });
  const webhookUrl = `http://127.0.0.1:${room.port}/hook`;
  await api.request("POST", "/api/v2/events/contacts", { contactName: "Room", contactKind: "discord", webhookUrl });
  const rtmpUrl = `rtmp://127.0.0.1:${await freePort()}/live`;
  const channel = await api.createChannel("soon", [{ rtmpUrl, streamKey: uniqueKey("soon") }]);
  stage.kitEncoder(channel, { clip: syntheticClip() });
  // 45 s at most: the next look by itself comes 60 s after the one that the contact caused.
  const { body } = await waitFor("a message", 9_000, () => room.received[0]);
  expect(body).toContain("soon");
});

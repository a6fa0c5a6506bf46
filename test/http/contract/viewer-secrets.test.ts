import { expect, test } from "vitest";
import { OPERATIONS } from "../../../src/api-contract/operations.ts";
import { Api, CHANNELS, VIEWER } from "../api.ts";

const secret = (name: string) => `hidden${name}`;
/** An address whose path is the secret. */
const address = (scheme: string, name: string) => `${scheme}://media.example.com/live/${secret(name)}`;

const CHANNEL = {
  ...{ channelName: "secrets", planType: "UNLIMITED", backup: { enabled: true } },
  srtPassphrase: secret("SrtPassphrase"),
  ingestAuth: { id: secret("IngestUser"), password: secret("IngestPassword") },
  callbackEndpoint: address("https", "Callback"),
  restream: [
    {
      ...{ targetName: "CUSTOM", rtmpUrl: address("rtmp", "Application"), streamKey: secret("TargetKey") },
      ...{ id: secret("User"), password: secret("Password") },
    },
    {
      ...{ targetName: "CUSTOM", streamKey: secret("SrtKey") },
      rtmpUrl: `srt://media.example.com:9000?passphrase=${secret("Passphrase")}`,
    },
  ],
};

const CONTACTS = [
  { contactName: "a", contactKind: "slack", webhookUrl: address("https", "Slack") },
  { contactName: "b", contactKind: "telegram", botToken: `1:${secret("Bot").padEnd(35, "x")}`, chatId: "1" },
];

test("no call that reads shows a viewer a key, a login, a passphrase, or the path of an address", async () => {
  const api = await Api.open();
  const { channelId, streamKey, backupStreamKey } = await api.content("POST", CHANNELS, CHANNEL);
  const source = { pull: { url: `rtmp://user:${secret("PullPassword")}@media.example.com/live/${secret("PullKey")}` } };
  await api.content("PUT", `${CHANNELS}/${channelId}/source`, source);
  await api.content("POST", "/api/v2/events/callbackEndpoint", { callbackUrl: address("https", "Default") });
  for (const contact of CONTACTS) await api.content("POST", "/api/v2/events/contacts", contact);
  const keys = [streamKey, backupStreamKey];
  expect(keys).toEqual([expect.any(String), expect.any(String)]);

  const shown: string[] = [];
  const read: string[] = [];
  for (const { name, method, path } of OPERATIONS) {
    // Its texts are made by the same functions, and it has no end.
    if (method !== "GET" || name === "streamEvents") continue;
    const url = `/api/v2${path.replace("{channelId}", channelId).replace(/\{\w+\}/g, "1")}`;
    const { body, statusCode } = await api.server.inject({ url, headers: api.signedHeaders("GET", url, VIEWER) });
    if (statusCode === 200) read.push(name);
    if (/hidden/i.test(body) || keys.some((key) => body.includes(key))) shown.push(name);
  }
  expect(shown).toEqual([]);
  expect(read).toEqual(
    expect.arrayContaining([
      ...["listChannels", "getChannel", "listPlatforms", "getSource", "getDefaultCallback", "listContacts"],
      ...["listEvents", "listDeliveries", "getRecommendedSettings"],
    ]),
  );
  await api.close();
});

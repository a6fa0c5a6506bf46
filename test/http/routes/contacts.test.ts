import { afterEach, beforeEach, expect, test } from "vitest";
import { Api, VIEWER } from "../api.ts";

const CONTACTS = "/api/v2/events/contacts";
const SLACK = {
  contactName: " Room ",
  contactKind: "slack",
  webhookUrl: "https://hooks.slack.example/services/T0/B0/X",
};
const BOT = `123456:${"a".repeat(30)}`;

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

test("contacts are made, listed without their secrets, changed, tested and removed", async () => {
  const made = (await api.post(CONTACTS, SLACK)).body.content;
  expect(made).toEqual({
    contactId: expect.stringMatching(/^ct-[\w-]{12}$/),
    contactName: "Room",
    contactKind: "slack",
    webhookUrl: "https://hooks.slack.example/…",
    ...{ eventScope: "problems", channelIds: [], language: "en", enabled: true, waitingCount: 0 },
    ...{ createdTime: made.createdTime, updateTime: made.createdTime },
  });
  const telegram = { contactName: "Bot", contactKind: "telegram", botToken: BOT, chatId: "-100", language: "ko" };
  expect((await api.post(CONTACTS, telegram)).body.content).toMatchObject({
    ...{ botToken: `1${"*".repeat(BOT.length - 1)}`, chatId: "-100", apiUrl: "https://api.telegram.org" },
  });
  const mail = { contactName: "Mail", contactKind: "email", mailTo: ["a@example.com"], eventScope: "all" };
  expect((await api.post(CONTACTS, mail)).body.content).toMatchObject({ mailTo: ["a@example.com"] });
  const one = `${CONTACTS}/${made.contactId}`;
  const changed = (await api.put(one, { enabled: false, channelIds: ["ls-1"], webhookUrl: null })).body.content;
  expect(changed).toMatchObject({ contactName: "Room", enabled: false, channelIds: ["ls-1"] });
  const listed = await api.get(CONTACTS);
  expect(listed.body.content.map((each: { contactName: string }) => each.contactName)).toEqual(["Bot", "Mail", "Room"]);
  expect(listed.text).not.toContain("services/T0");
  api.events.contactResult = { problem: "MAIL_REJECTED", status: 550 };
  expect((await api.post(`${one}/test`)).body.content).toEqual({
    ...{ ok: false, lastStatus: 550, lastProblem: "MAIL_REJECTED", milliseconds: 0 },
  });
  expect((await api.delete(one)).status).toBe(200);
  expect((await api.put(one, {})).status).toBe(404);
  expect((await api.post(`${one}/test`)).status).toBe(404);
});

test("each kind says what it needs, and wrong values are named without being repeated", async () => {
  const details = async (body: object) => {
    const { status, body: answer } = await api.post(CONTACTS, { contactName: "Room", ...body });
    return [status, answer.error.details];
  };
  expect(await details({ contactKind: "slack" })).toEqual([
    400,
    "webhookUrl: expected for this kind of contact, got nothing.",
  ]);
  expect(await details({ contactKind: "telegram", botToken: BOT })).toEqual([
    400,
    "chatId: expected for this kind of contact, got nothing.",
  ]);
  expect(await details({ contactKind: "email", mailTo: [] })).toEqual([
    400,
    "mailTo: expected 1 to 20 mail addresses.",
  ]);
  expect(await details({ contactKind: "email", mailTo: ["a@b.c\r\nBcc: x@y.z"] })).toEqual([
    400,
    "mailTo[0]: expected a mail address.",
  ]);
  expect((await details({ contactKind: "telegram", botToken: "secret", chatId: "1" }))[1]).toBe(
    "botToken: expected a bot's token, such as 123456:ABC-DEF….",
  );
  expect((await details({ contactKind: "discord", webhookUrl: "ftp://x/secret" }))[1]).not.toContain("secret");
  expect((await details({ contactKind: "fax" }))[1]).toContain("one of slack, discord, telegram, kakaowork, email");
  expect((await api.call({ method: "POST", url: CONTACTS, body: SLACK, key: VIEWER })).status).toBe(401);
});

test("an answer that is sent back changes nothing: what it hides of an address stays, and a hidden form of anything else is refused", async () => {
  const telegram = {
    ...{ contactName: "Bot", contactKind: "telegram", botToken: BOT, chatId: "-100" },
    apiUrl: "https://bots.example.com/secret/path",
  };
  const wholeAddresses = [
    { kind: "slack", url: SLACK.webhookUrl },
    { kind: "telegram", botToken: BOT, chatId: "-100", apiUrl: telegram.apiUrl },
  ];
  const ids: string[] = [];
  for (const [index, body] of [SLACK, telegram].entries()) {
    const made = (await api.post(CONTACTS, body)).body.content;
    ids.push(made.contactId);
    const one = `${CONTACTS}/${made.contactId}`;
    const changed = (await api.put(one, { ...made, contactName: "Renamed" })).body.content;
    expect(changed).toEqual({ ...made, contactName: "Renamed", updateTime: expect.any(Number) });
    await api.post(`${one}/test`);
    expect(api.events.testedContacts.at(-1)?.address).toEqual(wholeAddresses[index]);
  }

  const [room, bot] = ids;
  const refused = async (method: "POST" | "PUT", contactId: string | undefined, body: object) => {
    const url = method === "POST" ? CONTACTS : `${CONTACTS}/${contactId}`;
    const { status, body: answer } = await api.call({ method, url, body });
    return [status, answer.error?.errorCode, answer.error?.details];
  };
  const full = (field: string) => [400, 250_002, `${field}: expected an address in full, not with “…”.`];
  const token = [400, 250_002, "botToken: expected a bot's token, such as 123456:ABC-DEF…."];
  const hidden = "https://hooks.slack.example/…";
  expect(await refused("POST", undefined, { ...SLACK, webhookUrl: hidden })).toEqual(full("webhookUrl"));
  expect(await refused("POST", undefined, { ...telegram, apiUrl: hidden })).toEqual(full("apiUrl"));
  expect(await refused("POST", undefined, { ...telegram, botToken: `1${"*".repeat(36)}` })).toEqual(token);
  expect(await refused("PUT", room, { webhookUrl: "https://hooks.example.com/…" })).toEqual(full("webhookUrl"));
  expect(await refused("PUT", bot, { apiUrl: hidden })).toEqual(full("apiUrl"));
  expect(await refused("PUT", bot, { botToken: `2${"*".repeat(36)}` })).toEqual(token);
  expect(await refused("PUT", bot, { botToken: `1${"*".repeat(37)}` })).toEqual(token);
  // Its kind has none: what is hidden there is nobody's.
  expect(await refused("PUT", bot, { webhookUrl: hidden })).toEqual(full("webhookUrl"));
  expect((await api.put(`${CONTACTS}/${room}`, { webhookUrl: "https://other.example/x" })).status).toBe(200);
});

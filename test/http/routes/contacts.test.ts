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

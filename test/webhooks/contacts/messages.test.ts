import { expect, test } from "vitest";
import type { NoticeEvent } from "../../../src/control/contacts/contact.ts";
import { chatMessage } from "../../../src/webhooks/contacts/chat-messages.ts";
import { digestOf, testDigest } from "../../../src/webhooks/contacts/digest.ts";

const bodyOf = (message: { readonly body: string | Uint8Array }): unknown => JSON.parse(String(message.body));

let eventId = 0;
function event(change: Partial<NoticeEvent> = {}): NoticeEvent {
  eventId += 1;
  const body = { eventId, channelId: "ls-1", channelName: "show", code: "PUBLISH_START", level: "INFO" } as const;
  return { ...body, time: eventId, description: "d", ...change };
}
function settled(targetId: number, to: "FAIL" | "PUBLISHING", targetName = "YOUTUBE"): NoticeEvent {
  const reason = to === "FAIL" ? ({ reason: "TCP_RESET" } as const) : {};
  return event({ code: "SIMULCAST_STATUS_CHANGE", targetId, targetName, to, ...reason });
}

test("a platform that failed and came back is one line, and each platform has its own", () => {
  const flapping = [settled(1, "FAIL"), settled(1, "PUBLISHING"), settled(1, "FAIL"), settled(1, "PUBLISHING")];
  expect(digestOf([...flapping, settled(2, "FAIL", "TWITCH")], 0, "en")).toEqual({
    title: "Fanfare: show",
    lines: ["4 events, the last: YOUTUBE is on air", "TWITCH failed (connection lost)"],
  });
});

test("lines name their channel where there are several, and what is not listed is counted", () => {
  const many = Array.from({ length: 20 }, (_, index) =>
    event({ channelId: `ls-${index}`, channelName: `show${index}` }),
  );
  const { title, lines } = digestOf(many, 7, "en");
  expect(title).toBe("Fanfare: 20 channels");
  expect(lines).toHaveLength(17);
  expect(lines[0]).toBe("show0: Broadcast started");
  expect(lines.slice(-2)).toEqual(["and 5 more", "7 older events are not listed"]);
  expect(digestOf(many, 7, "ko").lines.slice(-2)).toEqual(["외 5건", "이전 이벤트 7건은 생략되었습니다"]);
});

test("names with control characters and of any length stay on their line", () => {
  const { title } = digestOf([event({ channelName: `a\r\nBcc: x@example.com\u2028${"é".repeat(200)}` })], 0, "en");
  expect(title).toMatch(/^Fanfare: a Bcc: x@example\.com é+…$/);
  expect(title.length).toBe("Fanfare: ".length + 80);
  // Half a character makes Telegram refuse the message, and all that wait behind it.
  const cameras = digestOf([event({ channelName: "🎥".repeat(60) })], 0, "en").title;
  expect(cameras).toBe(`Fanfare: ${"🎥".repeat(39)}…`);
});

test("each service gets its own form, with nothing that formats or calls people", () => {
  const digest = {
    title: "Fanfare: show",
    lines: ["<!channel> & @everyone *bold*", "# [here](https://a.example/b_c)"],
  };
  const text = "Fanfare: show\n<!channel> & @everyone *bold*\n# [here](https://a.example/b_c)";
  const url = "https://chat.example/hook";
  const slack = chatMessage({ kind: "slack", url }, digest);
  expect(slack).toMatchObject({ url, headers: { "content-type": "application/json; charset=utf-8" } });
  expect(bodyOf(slack)).toEqual({
    text: "Fanfare: show\n&lt;!channel&gt; &amp; @everyone *bold*\n# [here](https://a.example/b_c)",
    ...{ mrkdwn: false, unfurl_links: false, unfurl_media: false },
  });
  expect(bodyOf(chatMessage({ kind: "discord", url }, digest))).toEqual({
    content: "Fanfare: show\n\\<!channel\\> & @everyone \\*bold\\*\n\\# \\[here\\](https://a.example/b\\_c)",
    ...{ allowed_mentions: { parse: [] }, flags: 4 },
  });
  expect(bodyOf(chatMessage({ kind: "kakaowork", url }, digest))).toEqual({ text });
  const telegram = { kind: "telegram", botToken: "1:ab", chatId: "-5", apiUrl: "https://api.telegram.org" } as const;
  const message = chatMessage(telegram, digest);
  expect(message.url).toBe("https://api.telegram.org/bot1:ab/sendMessage");
  expect(bodyOf(message)).toEqual({
    ...{ chat_id: "-5", text: text.replace("@", "@\u2060") },
    link_preview_options: { is_disabled: true },
  });
});

test("a long message is cut to what the service takes, between whole characters", () => {
  const digest = { title: "t", lines: [`${"x".repeat(496)}😀${"y".repeat(6_000)}`] };
  const url = "https://chat.example/hook";
  const limits = [
    ["slack", 3_000],
    ["discord", 2_000],
    ["kakaowork", 500],
  ] as const;
  for (const [kind, max] of limits) {
    const body = String(chatMessage({ kind, url }, digest).body);
    const [text = ""] = Object.values(JSON.parse(body) as Record<string, string>);
    expect(text.length).toBeLessThanOrEqual(max);
    expect(text.length).toBeGreaterThan(max - 3);
    expect(text.isWellFormed()).toBe(true);
    expect(text.endsWith("…")).toBe(true);
  }
});

test("the test message is in the contact's language", () => {
  expect(testDigest("en").lines).toEqual(["This is a test: nothing happened."]);
  expect(testDigest("ko").lines).toEqual(["테스트 메시지입니다. 실제로 발생한 문제는 없습니다."]);
});

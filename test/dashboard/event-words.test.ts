import { expect, test } from "vitest";
import {
  BROADCAST_ENDS,
  CHANGE_REASONS,
  DELIVERY_PROBLEMS,
  DELIVERY_STATES,
  EVENT_CODES,
  EVENT_REASONS,
  type EventCode,
  type EventReason,
  MISSED_REASONS,
  RATE_REASONS,
} from "../../src/api-contract/event-words.ts";
import { authorText, eventText, reasonText } from "../../src/api-contract/words/event-sentences.ts";
import { INGEST_ENDS } from "../../src/thread-protocol/facts.ts";
import { RECORDING_PROBLEMS } from "../../src/thread-protocol/recordings/recordings.ts";
import { TARGET_ERROR_CODES } from "../../src/thread-protocol/targets/target-status.ts";
import type { ChannelEvent } from "../../web/src/base/model.ts";
import { en } from "../../web/src/text/en.ts";
import { ko } from "../../web/src/text/ko.ts";

const LANGUAGES = [
  ["English", en],
  ["Korean", ko],
] as const;

/** The reasons that each code can have. */
const REASONS_OF: Partial<Record<EventCode, readonly EventReason[]>> = {
  STREAM_UPDATE: CHANGE_REASONS,
  PUBLISH_END: BROADCAST_ENDS,
  INGEST_HELD: INGEST_ENDS,
  SIMULCAST_STATUS_CHANGE: TARGET_ERROR_CODES,
  PUBLISH_OVER_THRESHOLD: RATE_REASONS,
  RECORDING_FAIL: RECORDING_PROBLEMS,
  SCHEDULE_MISSED: MISSED_REASONS,
  PLATFORM_TESTED: TARGET_ERROR_CODES,
  AUTH_FAILED: ["AUTH_FAILED"],
};

const eventOf = (eventCode: EventCode, more: Partial<ChannelEvent> = {}): ChannelEvent => ({
  id: 1,
  logLevel: "INFO",
  eventCode,
  description: "the server's own sentence",
  timestamp: 0,
  channelId: "ls-1",
  ...more,
});

/** Every possible event. */
const EVENTS: readonly ChannelEvent[] = EVENT_CODES.flatMap((eventCode) => [
  // Without a reason, as older versions of the server stored events. A refused login always has its reason.
  ...(eventCode === "AUTH_FAILED" ? [] : [eventOf(eventCode)]),
  ...(REASONS_OF[eventCode] ?? []).map((reason) =>
    eventOf(eventCode, eventCode === "SIMULCAST_STATUS_CHANGE" ? { reason, to: "FAIL" } : { reason }),
  ),
  ...(eventCode === "SIMULCAST_STATUS_CHANGE"
    ? (["READY", "CONNECTING", "PUBLISHING"] as const).map((to) => eventOf(eventCode, { to }))
    : []),
]);

test("the list of reasons is complete", () => {
  const reasons = new Set(Object.values(REASONS_OF).flat());
  expect([...reasons].sort()).toEqual([...new Set(EVENT_REASONS)].sort());
});

test.each(LANGUAGES)(
  "every event and reason has a sentence of its own in %s, and none shows the API's word",
  (_, texts) => {
    const sentences = EVENTS.map((event) => {
      const sentence = eventText(texts, event, "MyTV");
      const what = `${event.eventCode} ${event.reason ?? ""}: ${sentence}`;
      expect(sentence, what).toMatch(texts === ko ? /[가-힣]{2}/ : /[a-z]{2}/);
      expect(sentence, what).not.toMatch(/undefined|[A-Z]+_[A-Z]+|[a-z]-[a-z]|the server's own sentence/);
      return sentence;
    });
    expect(new Set(sentences).size).toBe(sentences.length);
  },
);

test.each(LANGUAGES)(
  "every end of a broadcast, and every state and problem of a delivery, has its words in %s",
  (_, texts) => {
    const ends = BROADCAST_ENDS.map((end) => reasonText(texts, end));
    expect(new Set(ends).size).toBe(BROADCAST_ENDS.length);
    for (const [index, end] of ends.entries()) expect(end).not.toBe(BROADCAST_ENDS[index]);
    const states: Readonly<Record<string, string>> = texts.settings.deliveryStates;
    expect(DELIVERY_STATES.filter((state) => !states[state])).toEqual([]);
    expect(DELIVERY_PROBLEMS.filter((problem) => !texts.settings.deliveryProblems[problem])).toEqual([]);
  },
);

test.each([
  [
    "English",
    en,
    "MyTV passed a test",
    "MyTV failed a test (connection refused)",
    "in the dashboard",
    "with access key AK1",
  ],
  [
    "Korean",
    ko,
    "MyTV: 테스트에 성공했습니다",
    "MyTV: 테스트에 실패했습니다 (서버가 연결을 받지 않음)",
    "대시보드",
    "액세스 키 AK1",
  ],
])("a test names its platform, and a change names who made it, in %s", (_, texts, passed, failed, dashboard, key) => {
  expect(eventText(texts, eventOf("PLATFORM_TESTED"), "MyTV")).toBe(passed);
  expect(eventText(texts, eventOf("PLATFORM_TESTED", { reason: "TCP_REFUSED" }), "MyTV")).toBe(failed);
  expect(authorText(texts, eventOf("STREAM_UPDATE", { by: "dashboard" }))).toBe(dashboard);
  expect(authorText(texts, eventOf("STREAM_UPDATE", { by: "AK1" }))).toBe(key);
  expect(authorText(texts, eventOf("PUBLISH_START"))).toBeUndefined();
});

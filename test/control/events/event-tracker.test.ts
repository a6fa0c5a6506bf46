import { expect, test } from "vitest";
import type { ChannelChange } from "../../../src/api-contract/event-words.ts";
import type { Alerts } from "../../../src/control/channels/channel.ts";
import { NO_ALERTS } from "../../../src/control/channels/channel.ts";
import { completeEvent } from "../../../src/control/events/complete-event.ts";
import { EventTracker } from "../../../src/control/events/event-tracker.ts";
import type { EventSubject, NewEvent } from "../../../src/control/events/events.ts";
import type { ChannelChanged } from "../../../src/control/facts/server-fact.ts";
import type { Fact, IngestEnd } from "../../../src/thread-protocol/facts.ts";
import type { ConnectStatus, TargetError } from "../../../src/thread-protocol/targets/target-status.ts";
import { channelChanged } from "../../support/stages/channel-changed.ts";

const CHANNEL = "ls-20260101000000-00001";
const REFUSED = { code: "TCP_REFUSED", severity: "transient", message: "m", messageKo: "오류" } as const;
const REJECTED = { code: "PUBLISH_REJECTED", severity: "fatal", message: "m", messageKo: "오류" } as const;

const SUBJECT: EventSubject = {
  channelId: CHANNEL,
  name: "channel001",
  alerts: NO_ALERTS,
  targets: new Map([[38, { targetName: "YOUTUBE", label: "Mine" }]]),
};

const ingest = { time: 1, channelId: CHANNEL, ingestId: 1 } as const;

function started(slot: "main" | "backup" = "main", isBroadcastNew = true): Fact {
  return { kind: "ingest-started", ...ingest, slot, remoteAddress: "192.0.2.1", encoder: "e", isBroadcastNew };
}

function ended(end: IngestEnd, isBroadcastOver: boolean, slot: "main" | "backup" = "main"): Fact {
  return { kind: "ingest-ended", ...ingest, slot, end, isBroadcastOver };
}

function status(to: ConnectStatus, error?: TargetError, targetId = 38): Fact {
  const now = { status: to, sinceTime: 1, ...(error === undefined ? {} : { lastError: { ...error, time: 1 } }) };
  return { kind: "target-status", time: 1, channelId: CHANNEL, targetId, from: "CONNECTING", status: now };
}

/** The events that these facts produce. */
function eventsOf(facts: readonly Fact[], tracker = new EventTracker(), alerts: Alerts = NO_ALERTS): NewEvent[] {
  return facts.flatMap((fact) => tracker.fact(fact)).map((event) => completeEvent(event, { ...SUBJECT, alerts }));
}

const codes = (facts: readonly Fact[]) => eventsOf(facts).map((event) => event.code);

test("a broadcast begins and ends once, whatever takeovers, returns and standbys come in between", () => {
  const facts = [
    started(),
    started("main", false),
    ended("replaced", false),
    started("main", false),
    ended("clean", true),
    ended("clean", true),
  ];
  expect(codes(facts)).toEqual(["PUBLISH_START", "ENCODER_REPLACED", "PUBLISH_END"]);
  const twice = codes([...facts, ...facts]);
  expect(twice.filter((code) => code !== "ENCODER_REPLACED")).toEqual([
    "PUBLISH_START",
    "PUBLISH_END",
    "PUBLISH_START",
    "PUBLISH_END",
  ]);
});

test("the texts are those of the original API, and an unwanted end is a warning with its reason", () => {
  const [start, end] = eventsOf([started(), ended("connection-lost", true)]);
  expect(start).toEqual({
    channelId: CHANNEL,
    code: "PUBLISH_START",
    level: "INFO",
    time: 1,
    description: "channel001 channel publishing has started.",
    isForWebhook: true,
  });
  expect(end).toEqual({
    channelId: CHANNEL,
    code: "PUBLISH_END",
    level: "WARN",
    time: 1,
    description: "channel001 channel publishing has ended.",
    reason: "connection-lost",
    isForWebhook: true,
  });
  expect(eventsOf([started(), ended("clean", true)])[1]).toMatchObject({ level: "INFO", reason: "clean" });
});

test("only settled target statuses are events: PUBLISHING, READY, and FAIL for a new reason", () => {
  const events = eventsOf([
    status("CONNECTING"),
    status("PUBLISHING"),
    status("FAIL", REFUSED),
    status("CONNECTING", REFUSED),
    status("FAIL", REFUSED),
    status("CONNECTING", REFUSED),
    status("FAIL", REJECTED),
    status("CONNECTING", REJECTED),
    status("PUBLISHING"),
    status("FAIL", REJECTED),
    status("READY"),
    status("READY"),
    status("FAIL", REJECTED),
  ]);
  expect(events.map(({ from, to, reason, level }) => [from, to, reason, level])).toEqual([
    ["READY", "PUBLISHING", undefined, "INFO"],
    ["PUBLISHING", "FAIL", "TCP_REFUSED", "WARN"],
    ["FAIL", "FAIL", "PUBLISH_REJECTED", "ERROR"],
    ["FAIL", "PUBLISHING", undefined, "INFO"],
    ["PUBLISHING", "FAIL", "PUBLISH_REJECTED", "ERROR"],
    ["FAIL", "READY", undefined, "INFO"],
    ["READY", "FAIL", "PUBLISH_REJECTED", "ERROR"],
  ]);
  expect(events.map(({ targetId, code }) => [targetId, code])).toEqual(
    events.map(() => [38, "SIMULCAST_STATUS_CHANGE"]),
  );
});

test("a status change names the platform, the old and the new status, and the reason", () => {
  const [publishing, failed, unnamed] = eventsOf([
    status("PUBLISHING"),
    status("FAIL", REFUSED),
    status("PUBLISHING", undefined, 39),
  ]);
  const text = "channel001 channel platform YOUTUBE (38) status has been changed from";
  expect(publishing?.description).toBe(`${text} READY to PUBLISHING.`);
  expect(failed?.description).toBe(`${text} PUBLISHING to FAIL: TCP_REFUSED.`);
  expect(failed).toMatchObject({ targetId: 38, targetName: "YOUTUBE", targetLabel: "Mine" });
  // Removed meanwhile.
  expect(unnamed?.description).toBe(
    "channel001 channel platform (39) status has been changed from READY to PUBLISHING.",
  );
});

test("a target that was removed starts anew, whatever its status was", () => {
  const tracker = new EventTracker();
  eventsOf([status("FAIL", REFUSED)], tracker);
  tracker.fact(channelChanged("target-removed", CHANNEL, 38));
  expect(eventsOf([status("READY")], tracker)).toEqual([]);
});

test("encoders that change places are events: main, backup, and the backup that connects", () => {
  const active = (slot: "main" | "backup"): Fact => ({ kind: "publisher-active", ...ingest, slot, heldMs: 0 });
  const facts = [active("main"), started(), active("main"), started("backup", false), active("backup"), active("main")];
  expect(eventsOf(facts).map(({ code, description, level }) => [code, description, level])).toEqual([
    ["PUBLISH_START", "channel001 channel publishing has started.", "INFO"],
    ["BACKUP_SESSION_STREAMING_CONNECTED", "channel001 channel backup encoder has been connected.", "INFO"],
    ["RTMP_BACKUP_STREAM_ENABLED", "channel001 channel backup stream has been enabled.", "WARN"],
    ["RTMP_MAIN_STREAM_ENABLED", "channel001 channel main stream has been enabled.", "INFO"],
  ]);
});

const CHANGES: readonly (readonly [ChannelChange, boolean, string])[] = [
  ["created", false, "renamed channel has been created."],
  ["deleted", false, "renamed channel has been deleted."],
  ["settings-changed", false, "renamed channel settings have been changed."],
  ["blocked", false, "renamed channel has been turned off."],
  ["unblocked", false, "renamed channel has been turned on."],
  ["stream-key-renewed", false, "renamed channel has a new stream key."],
  ["callback-changed", false, "renamed channel callback endpoint has been changed."],
  ["target-added", true, "renamed channel platform TWITCH (7) has been added."],
  ["target-edited", true, "renamed channel platform TWITCH (7) has been changed."],
  ["target-removed", true, "renamed channel platform TWITCH (7) has been removed."],
  ["target-turned-on", true, "renamed channel platform TWITCH (7) has been turned on."],
  ["target-turned-off", true, "renamed channel platform TWITCH (7) has been turned off."],
];

test.each(CHANGES)("%s is an event under the name of the moment", (change, hasTarget, description) => {
  const target = { targetId: 7, targetName: "TWITCH", label: "Mine" };
  const base = { kind: "channel-changed", change, time: 9, channelId: CHANNEL, channelName: "renamed" } as const;
  const fact: ChannelChanged = hasTarget ? { ...base, target } : base;
  expect(new EventTracker().fact(fact).map((event) => completeEvent(event, SUBJECT))).toEqual([
    {
      channelId: CHANNEL,
      code: change === "created" ? "STREAM_RESERVE" : "STREAM_UPDATE",
      ...(change === "created" ? {} : { reason: change }),
      level: "INFO",
      time: 9,
      description,
      ...(hasTarget ? { targetId: 7, targetName: "TWITCH", targetLabel: "Mine" } : {}),
      isForWebhook: true,
    },
  ]);
});

test("a channel without chosen alerts sends every webhook, one with alerts sends those and always settings", () => {
  const facts = [started(), status("PUBLISHING"), status("FAIL", REFUSED), status("PUBLISHING"), ended("clean", true)];
  const sent = (alerts: Alerts) =>
    eventsOf(facts, new EventTracker(), alerts)
      .filter((event) => event.isForWebhook)
      .map(({ code, to }) => (to === undefined ? code : `to ${to}`));
  const all = ["PUBLISH_START", "to PUBLISHING", "to FAIL", "to PUBLISHING", "PUBLISH_END"];
  const alerts = { isOn: true, ofVodUploads: false };
  expect(sent({ ...NO_ALERTS, ofChannelStatus: false, ofTargetFailures: false })).toEqual(all);
  expect(sent({ ...alerts, ofChannelStatus: true, ofTargetFailures: false })).toEqual(["PUBLISH_START", "PUBLISH_END"]);
  expect(sent({ ...alerts, ofChannelStatus: false, ofTargetFailures: true })).toEqual(["to FAIL", "to PUBLISHING"]);
  expect(sent({ ...alerts, ofChannelStatus: false, ofTargetFailures: false })).toEqual([]);
  const silent = { ...SUBJECT, alerts: { ...alerts, ofChannelStatus: false, ofTargetFailures: false } };
  const created = new EventTracker().fact(channelChanged("created", CHANNEL));
  expect(created.map((event) => completeEvent(event, silent).isForWebhook)).toEqual([true]);
});

test("a test pattern has an event of its own, and an encoder that takes over from it is no conflict", () => {
  const pattern: Fact = { ...started(), testPatternEndTime: 1 } as Fact;
  const events = eventsOf([pattern, started("main", false), ended("test-pattern-over", false), ended("clean", true)]);
  expect(events.map(({ code, level, description }) => [code, level, description])).toEqual([
    ["PUBLISH_START", "INFO", "channel001 channel publishing has started with the test pattern."],
    ["TEST_PATTERN_ENDED", "INFO", "channel001 channel test pattern has ended because an encoder took over."],
    ["PUBLISH_END", "INFO", "channel001 channel publishing has ended."],
  ]);
});

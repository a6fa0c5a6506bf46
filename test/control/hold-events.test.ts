import { expect, test } from "vitest";
import { NO_ALERTS } from "../../src/control/channels/channel.ts";
import { completeEvent } from "../../src/control/events/complete-event.ts";
import { EventTracker } from "../../src/control/events/event-tracker.ts";
import type { ServerFact } from "../../src/control/facts/server-fact.ts";
import type { IngestSlot } from "../../src/thread-protocol/channel-spec.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";

const CHANNEL = "ls-20260101000000-00001";
const ingest = (slot: IngestSlot = "main") => ({ time: 1, channelId: CHANNEL, ingestId: 1, slot });

const started: Fact = {
  kind: "ingest-started",
  ...ingest(),
  remoteAddress: "192.0.2.1",
  encoder: "e",
  isBroadcastNew: true,
};
const held: Fact = { kind: "ingest-held", ...ingest(), end: "connection-lost", holdSeconds: 120 };
const active = (heldMs: number, slot: IngestSlot = "main"): Fact => ({
  kind: "publisher-active",
  ...ingest(slot),
  heldMs,
});
const fight = (time: number, slot: IngestSlot = "main"): Fact => ({
  kind: "encoders-fight",
  time,
  channelId: CHANNEL,
  slot,
});
const over: Fact = { kind: "ingest-ended", ...ingest(), end: "hold-expired", isBroadcastOver: true };
const differs: Fact = { kind: "standby-differs", ...ingest("backup"), detail: "width 640 instead of 1280" };

function eventsOf(facts: readonly ServerFact[], alerts = NO_ALERTS) {
  const tracker = new EventTracker();
  const subject = { channelId: CHANNEL, name: "channel001", alerts, targets: new Map() };
  return facts.flatMap((fact) => tracker.fact(fact)).map((event) => completeEvent(event, subject));
}

/** Without the start of the broadcast. */
const changesOf = (...facts: readonly ServerFact[]) =>
  eventsOf([started, active(0), ...facts])
    .slice(1)
    .map(({ code, level, description, reason }) => [code, level, description, reason]);

test("a hold and its end are events, with the reason and the duration", () => {
  expect(changesOf(held, active(12_340))).toEqual([
    [
      "INGEST_HELD",
      "WARN",
      "channel001 channel main encoder has been lost, the broadcast is held for up to 120 seconds.",
      "connection-lost",
    ],
    [
      "INGEST_RESUMED",
      "INFO",
      "channel001 channel broadcast goes on with the main encoder after 12.3 seconds of hold.",
      undefined,
    ],
  ]);
});

test("a hold behind the slate says so", () => {
  expect(changesOf({ ...held, isSlateShown: true }).map(([code, , description]) => [code, description])).toEqual([
    ["INGEST_HELD", "channel001 channel main encoder has been lost, the broadcast is held for up to 120 seconds."],
    ["SLATE_SHOWN", "channel001 channel slate is shown until the encoder comes back or the hold ends."],
  ]);
});

test("a hold that runs out is the end of the broadcast, and its event says so", () => {
  expect(changesOf(held, over).slice(1)).toEqual([
    ["PUBLISH_END", "WARN", "channel001 channel publishing has ended.", "hold-expired"],
  ]);
});

test("a backup that takes over after a loss gives a change-of-place event and the end of the hold, once", () => {
  expect(changesOf(held, active(300, "backup"), active(0, "backup")).map(([code]) => code)).toEqual([
    "INGEST_HELD",
    "RTMP_BACKUP_STREAM_ENABLED",
    "INGEST_RESUMED",
  ]);
});

test("a takeover without a loss gives no hold and no resume, and a channel off air gives no event", () => {
  expect(changesOf(active(0), active(0))).toEqual([]);
  expect(eventsOf([held, active(5), fight(1)])).toEqual([]);
});

test("two encoders that displace each other are reported once a minute for each key, since the refused one comes back every second", () => {
  const events = changesOf(
    fight(1_000),
    fight(2_000),
    fight(2_500, "backup"),
    fight(60_999),
    fight(61_000),
    fight(500),
  );
  expect(events).toEqual([
    ["ENCODERS_FIGHT", "ERROR", "channel001 channel has two encoders with the same main stream key.", undefined],
    ["ENCODERS_FIGHT", "ERROR", "channel001 channel has two encoders with the same backup stream key.", undefined],
    ["ENCODERS_FIGHT", "ERROR", "channel001 channel has two encoders with the same main stream key.", undefined],
    ["ENCODERS_FIGHT", "ERROR", "channel001 channel has two encoders with the same main stream key.", undefined],
  ]);
  // The next broadcast starts with a clean sheet.
  expect(
    changesOf(fight(1_000), over, started, fight(1_001)).filter(([code]) => code === "ENCODERS_FIGHT"),
  ).toHaveLength(2);
});

test("a standby that differs is a warning that names the difference", () => {
  expect(changesOf(differs)).toEqual([
    [
      "BACKUP_DIFFERS",
      "WARN",
      "channel001 channel backup and main encoder differ: width 640 instead of 1280.",
      undefined,
    ],
  ]);
});

test("a channel with the channel-status alert gets all of these events", () => {
  const forWebhook = (ofChannelStatus: boolean) =>
    eventsOf([started, held, active(1), fight(1), differs], { ...NO_ALERTS, isOn: true, ofChannelStatus })
      .filter(({ isForWebhook }) => isForWebhook)
      .map(({ code }) => code);
  expect(forWebhook(true)).toEqual([
    "PUBLISH_START",
    "INGEST_HELD",
    "INGEST_RESUMED",
    "ENCODERS_FIGHT",
    "BACKUP_DIFFERS",
  ]);
  expect(forWebhook(false)).toEqual([]);
});

test("video that stops while audio goes on is an event, and so is its return", () => {
  const stopped: Fact = { kind: "video-stopped", ...ingest(), silentMs: 5_400 };
  const back: Fact = { kind: "video-back", ...ingest(), awayMs: 63_000 };
  expect(changesOf(stopped, back)).toEqual([
    ["VIDEO_FROZEN", "WARN", "channel001 channel main encoder has sent audio and no video for 5.4 seconds.", undefined],
    ["VIDEO_RESUMED", "INFO", "channel001 channel video is back after 63.0 seconds.", undefined],
  ]);
});

test("silence is an event, and so is the audio behind it", () => {
  const silence = { kind: "silence-changed", time: 1, channelId: CHANNEL } as const;
  expect(changesOf({ ...silence, seconds: 20, isOver: false }, { ...silence, seconds: 75, isOver: true })).toEqual([
    ["AUDIO_SILENT", "WARN", "channel001 channel audio has been silent for 20 seconds.", undefined],
    ["AUDIO_RETURNED", "INFO", "channel001 channel audio is back after 75 seconds of silence.", undefined],
  ]);
});

test("an encoder that was refused because of overload is an event, once a minute for each channel", () => {
  const refused = (channelId: string, time: number): Fact => ({
    ...{ kind: "ingest-refused", time, channelId, count: 1, remoteAddress: "192.0.2.1", reason: "overloaded" },
  });
  const tracker = new EventTracker();
  const events = [refused("ls-1", 0), refused("ls-1", 59_000), refused("ls-2", 59_500), refused("ls-1", 60_000)].map(
    (fact) => tracker.fact(fact).length,
  );
  expect(events).toEqual([1, 0, 1, 1]);
  expect(eventsOf([refused(CHANNEL, 0)])).toMatchObject([
    {
      code: "SERVER_OVERLOADED",
      level: "ERROR",
      description: "channel001 channel has rejected an encoder from 192.0.2.1, because the server cannot keep up.",
    },
  ]);
});

test("a refused encoder of a known channel is an event with its address, once a minute for each reason; a fight has its own", () => {
  const refused = (reason: "auth-failed" | "channel-off" | "encoders-fight" | "unknown-key", time: number): Fact => ({
    ...{ kind: "ingest-refused", time, count: 1, remoteAddress: "192.0.2.1", reason },
    ...(reason === "unknown-key" ? {} : { channelId: CHANNEL }),
  });
  const events = eventsOf([
    refused("channel-off", 0),
    refused("auth-failed", 1_000),
    refused("channel-off", 59_999),
    refused("encoders-fight", 60_000),
    refused("unknown-key", 60_000),
    refused("channel-off", 60_001),
  ]);
  const off = {
    ...{ code: "ENCODER_REFUSED", level: "WARN", remoteAddress: "192.0.2.1" },
    description: "channel001 channel has rejected an encoder from 192.0.2.1, because it is turned off.",
  };
  expect(events).toMatchObject([
    off,
    {
      ...{ code: "AUTH_FAILED", reason: "AUTH_FAILED", remoteAddress: "192.0.2.1" },
      description: "channel001 channel has rejected an encoder from 192.0.2.1 without the right login.",
    },
    off,
  ]);
});

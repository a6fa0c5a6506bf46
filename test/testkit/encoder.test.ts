import { expect, onTestFinished, test } from "vitest";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { type EncoderEvent, type EncoderOptions, KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { encoderTimestamp } from "../../src/testkit/encoder/encoder-time.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import type { ConnectionReport } from "../../src/testkit/target/target-report.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const WAIT_MS = 10_000;
const AT_ONCE = Number.POSITIVE_INFINITY;

/** An encoder that publishes to a target of its own, which keeps every message. */
async function publish(options: Partial<EncoderOptions> = {}) {
  const target = await KitTarget.start({ messagesMax: 100_000 });
  onTestFinished(() => target.close());
  const events: EncoderEvent[] = [];
  const encoder = new KitEncoder({
    ...{ url: target.url, streamKey: "a-key", clip: syntheticClip() },
    ...options,
    onEvent: (event) => events.push(event),
  });
  onTestFinished(async () => void (await encoder.stop("reset")));
  const report = async (): Promise<ConnectionReport> => {
    const [connection] = target.connections;
    if (connection === undefined) throw new Error("no connection");
    return await connection.closed;
  };
  const messages = () => target.connections[0]?.report.messages ?? [];
  const arrived = (count: number) =>
    waitFor(`${count} messages`, WAIT_MS, () => (messages().length >= count ? true : undefined));
  return { encoder, target, events, report, messages, arrived };
}

const stamps = (report: ConnectionReport, kind: "audio" | "video") =>
  report.messages.filter((message) => message.kind === kind && !message.isConfig).map((message) => message.timestamp);

/** Runs what the encoder has to do by now: it waits for the clock alone, and now and then for the event loop. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

test.each([{ speed: 1 }, { speed: 4 }, { speed: 0.5 }])(
  "at $speed times real time every message leaves when it is due, none before",
  async ({ speed }) => {
    const clock = new VirtualClock();
    const { encoder } = await publish({ clock, speed });
    await encoder.accepted;
    const tags = [...syntheticClip({ seconds: 10 }).tags()];
    for (let step = 0; step < 100; step += 1) {
      await settle();
      const due = tags.filter((tag) => tag.timestamp / speed <= clock.now()).length;
      expect(encoder.report.messagesSent).toBe(due);
      clock.advance(17);
    }
  },
);

test("as fast as possible sends ten minutes in a moment, and obeys a server that stops it in the middle", async () => {
  const { encoder, report } = await publish({ speed: AT_ONCE, clip: syntheticClip({ seconds: 600 }) });
  expect((await encoder.closed).end).toEqual({ how: "finished" });
  expect((await report()).messages).toHaveLength(encoder.report.messagesSent);
  const endless = await publish({ speed: AT_ONCE });
  await endless.arrived(1_000);
  endless.target.connections[0]?.end();
  expect((await endless.encoder.closed).end).toEqual({ how: "lost", isReset: false });
});

const HOUR_MS = 3_600_000;
const clocks = [
  { name: "starts at 2³¹", time: { startMs: 2 ** 31 }, first: 2 ** 31, last: 2 ** 31 + 960 },
  { name: "starts ten seconds before its wrap", time: { startMs: 2 ** 32 - 500 }, first: 2 ** 32 - 500, last: 460 },
  { name: "jumps an hour forth", time: { jumps: [{ atMs: 400, byMs: HOUR_MS }] }, first: 0, last: HOUR_MS + 960 },
  {
    name: "jumps an hour forth and back",
    time: {
      startMs: 5,
      jumps: [
        { atMs: 400, byMs: HOUR_MS },
        { atMs: 800, byMs: -HOUR_MS },
      ],
    },
    first: 5,
    last: 965,
  },
  { name: "jumps back below 0", time: { jumps: [{ atMs: 400, byMs: -1_000 }] }, first: 0, last: 2 ** 32 - 40 },
  { name: "has video five seconds late", time: { videoSkewMs: 5_000 }, first: 5_000, last: 5_960 },
];
test.each(clocks)("a clock that $name is what the server sees", async ({ time, first, last }) => {
  const { encoder, report } = await publish({ speed: AT_ONCE, clip: syntheticClip({ seconds: 1 }), time });
  await encoder.closed;
  const video = stamps(await report(), "video");
  expect([video[0], video.at(-1), video.length]).toEqual([first, last, 25]);
});

test("audio keeps its own time where video is late", () => {
  expect(encoderTimestamp({ videoSkewMs: 5_000 }, 100, false)).toBe(100);
  expect(encoderTimestamp({ videoSkewMs: -5_000 }, 6_000, true)).toBe(1_000);
});

test("a frozen encoder stays connected and silent, and goes on later with a clock that has gone on", async () => {
  const clock = new VirtualClock();
  const { encoder, events, messages } = await publish({ clock, freeze: { atMs: 1_000, forMs: 5_000 } });
  await encoder.accepted;
  const run = async (ms: number): Promise<void> => {
    for (let passed = 0; passed < ms; passed += 10) {
      clock.advance(10);
      await settle();
    }
  };
  await run(1_500);
  const sent = encoder.report.messagesSent;
  expect(sent).toBe([...syntheticClip({ seconds: 1 }).tags()].length);
  await run(4_400);
  expect(encoder.report.messagesSent).toBe(sent);
  expect(encoder.report.end).toBeUndefined();
  await run(1_100);
  expect(encoder.report.messagesSent).toBeGreaterThan(sent);
  await encoder.stop("clean");
  expect(events.map((event) => event.event)).toEqual(["accepted", "frozen", "thawed", "ended"]);
  await waitFor("everything", WAIT_MS, () => (messages().length === encoder.report.messagesSent ? true : undefined));
  const video = messages().filter((message) => message.kind === "video" && !message.isConfig);
  expect(video[24]?.timestamp).toBe(960);
  expect(video[25]?.timestamp).toBeGreaterThanOrEqual(6_000);
  expect(video[25]?.timestamp).toBeLessThanOrEqual(6_010);
  expect(video[26]?.timestamp).toBe((video[25]?.timestamp ?? 0) + 40);
});

test("a test may freeze and thaw it by hand", async () => {
  const { encoder, events, arrived } = await publish({ speed: 50 });
  await arrived(20);
  encoder.freeze();
  encoder.freeze();
  await settle();
  const sent = encoder.report.messagesSent;
  await arrived(sent);
  encoder.thaw();
  encoder.thaw();
  await arrived(sent + 20);
  expect(events.map((event) => event.event)).toEqual(["accepted", "frozen", "thawed"]);
});

const endings: readonly {
  name: string;
  options: Partial<EncoderOptions>;
  how: string;
  state: string;
  isClean: boolean;
}[] = [
  { name: "vanishes", options: { vanishAtMs: 500 }, how: "vanished", state: "reset", isClean: false },
  { name: "closes", options: { closeAtMs: 500 }, how: "closed", state: "ended", isClean: false },
  {
    name: "finishes",
    options: { clip: syntheticClip({ seconds: 1 }) },
    how: "finished",
    state: "ended",
    isClean: true,
  },
];
test.each(endings)("an encoder that $name is seen to do so", async ({ options, how, state, isClean }) => {
  const { encoder, report } = await publish({ speed: 10, ...options });
  expect((await encoder.closed).end).toEqual({ how });
  const seen = await report();
  expect(seen.state).toBe(state);
  expect(seen.commands.includes("deleteStream")).toBe(isClean);
  expect(seen.commands.includes("FCUnpublish")).toBe(isClean);
});

test.each([
  { how: "clean", state: "ended", isClean: true },
  { how: "close", state: "ended", isClean: false },
  { how: "reset", state: "reset", isClean: false },
] as const)("stopping it ($how) is that and no other end", async ({ how, state, isClean }) => {
  const { encoder, report, arrived } = await publish();
  await arrived(3);
  expect((await encoder.stop(how)).end).toEqual({ how: "stopped" });
  const seen = await report();
  expect([seen.state, seen.commands.includes("deleteStream")]).toEqual([state, isClean]);
});

test("garbage at message k comes after k − 1 good messages", async () => {
  const { encoder, events, report } = await publish({ speed: 20, garbageAtMessage: 30 });
  await encoder.closed;
  const seen = await report();
  expect(seen.state).toBe("protocol-error");
  expect(seen.messages).toHaveLength(29);
  expect(events.map((event) => event.event)).toEqual(["accepted", "garbage", "ended"]);
});

test("a missing server, a wrong address, and a stop before the connection stands each fail", async () => {
  const { encoder, target } = await publish();
  expect((await encoder.stop("clean")).end).toEqual({ how: "stopped" });
  expect(await encoder.accepted).toBe(false);
  await target.close();
  const late = new KitEncoder({ url: target.url, streamKey: "a-key", clip: syntheticClip() });
  expect((await late.closed).end).toEqual({ how: "unreachable", code: "ECONNREFUSED" });
  expect(() => new KitEncoder({ url: "http://127.0.0.1/", streamKey: "k", clip: syntheticClip() })).toThrow("RTMP");
  expect(() => new KitEncoder({ url: "rtmps://127.0.0.1/live", streamKey: "k", clip: syntheticClip() })).toThrow(
    "plain",
  );
});

test("an encoder with the option follows a request to reconnect, from a keyframe on and with headers", async () => {
  const requested: EncoderEvent[] = [];
  const target = await KitTarget.start({
    messagesMax: 1_000,
    behaviour: (index) => (index === 0 ? { reconnect: { afterMs: 100, tcUrl: "/elsewhere" } } : {}),
  });
  onTestFinished(() => target.close());
  const encoder = new KitEncoder({
    ...{ url: target.url, streamKey: "a-key", clip: syntheticClip(), followsReconnectRequests: true },
    onEvent: (event) => requested.push(event),
  });
  onTestFinished(async () => void (await encoder.stop("reset")));
  const messages = (index: number) => target.connections[index]?.report.messages ?? [];
  await waitFor("media on the second connection", WAIT_MS, () => (messages(1).length > 20 ? true : undefined));
  await target.connections[0]?.closed;
  const heads = messages(1).slice(0, 4);
  expect(heads.map(({ kind, isConfig, isKeyframe }) => [kind, isConfig, isKeyframe])).toEqual([
    ["data", false, false],
    ["video", true, false],
    ["audio", true, false],
    ["video", false, true],
  ]);
  expect(heads[3]?.timestamp).toBeGreaterThanOrEqual(encoder.report.movedAfter[0] ?? Number.POSITIVE_INFINITY);
  expect(messages(0).at(-1)?.timestamp).toBe(encoder.report.movedAfter[0]);
  expect(target.connections.map(({ report }) => [report.app, report.streamName])).toEqual([
    ["live", "a-key"],
    ["elsewhere", "a-key"],
  ]);
  expect(requested.map(({ event }) => event)).toEqual(["accepted", "reconnect-requested", "moved"]);
  expect(target.connections[0]?.report.commands.slice(-2)).toEqual(["FCUnpublish", "deleteStream"]);
});

test("an encoder without the option records such a request, and goes on", async () => {
  const target = await KitTarget.start({ messagesMax: 1_000, behaviour: { reconnect: { afterMs: 0 } } });
  onTestFinished(() => target.close());
  const encoder = new KitEncoder({
    url: target.url,
    streamKey: "a-key",
    clip: syntheticClip({ seconds: 2 }),
    speed: 2,
  });
  expect(await encoder.closed).toMatchObject({ end: { how: "finished" }, reconnectRequests: 1, movedAfter: [] });
  expect(target.connections).toHaveLength(1);
});

test.each(["rtmps://127.0.0.1:1/live", "http://127.0.0.1/live", "rtmp://127.0.0.1:1/live"])(
  "an encoder that is sent to %s, where nothing accepts it, goes on where it is",
  async (tcUrl) => {
    const target = await KitTarget.start({ messagesMax: 1_000, behaviour: { reconnect: { afterMs: 0, tcUrl } } });
    onTestFinished(() => target.close());
    const clip = syntheticClip({ seconds: 2 });
    const options = { url: target.url, streamKey: "a-key", clip, speed: 2, followsReconnectRequests: true };
    const report = await new KitEncoder(options).closed;
    expect(report).toMatchObject({ end: { how: "finished" }, reconnectRequests: 1, movedAfter: [] });
    expect(target.connections).toHaveLength(1);
  },
);

import { expect, test } from "vitest";
import type { SourceStatus } from "../../../src/control/channels/source.ts";
import { ChannelElsewhereError, DomainError, type DomainFault } from "../../../src/control/ports/errors.ts";
import type { PublisherArrival, PublishGateway } from "../../../src/relay/publish-gateway.ts";
import type { MediaMessage } from "../../../src/relay/stream/media-message.ts";
import { PullFailure, pullError } from "../../../src/sources/pull-links/pull-errors.ts";
import type { PullPlace } from "../../../src/sources/pull-links/pull-link.ts";
import { PullRun } from "../../../src/sources/pull-run.ts";
import type { ChannelSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../../src/thread-protocol/facts.ts";
import type { TargetError } from "../../../src/thread-protocol/targets/target-status.ts";
import { FakeFfmpeg, fakePullLink } from "../../support/sources/fake-ffmpeg.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const G711_HEAD = 0x72;
/** Audio that platforms do not take. */
const G711 = { audio: () => Buffer.from([G711_HEAD, 1]) };

function stageOf({ url = "rtmp://a/live/key", hasFfmpeg = true } = {}) {
  const clock = new VirtualClock();
  const statuses: SourceStatus[] = [];
  const runs: FakeFfmpeg[] = [];
  const opened: string[] = [];
  const closed: string[] = [];
  const pushed: MediaMessage[] = [];
  const ends: IngestEnd[] = [];
  const arrivals: PublisherArrival[] = [];
  const froms: (PullPlace | undefined)[] = [];
  let left = 0;
  const now: {
    fault?: DomainFault;
    error?: TargetError;
    seen?: TargetError;
    admits: "admitted" | "overloaded";
    isElsewhere: boolean;
    isUnread: boolean;
    isOver: boolean;
    isFull: boolean;
    isTaken: boolean;
    place?: PullPlace | undefined;
    /** What each of these steps waits for. */
    readonly waits: Partial<Record<"read" | "open" | "publish", Promise<void>>>;
  } = {
    ...{
      admits: "admitted",
      isElsewhere: false,
      isUnread: false,
      isOver: false,
      isFull: false,
      isTaken: true,
      waits: {},
    },
  };
  const read = async (): Promise<ChannelSpec> => {
    await now.waits.read;
    if (now.fault !== undefined) throw new DomainError(now.fault);
    return {} as ChannelSpec;
  };
  const gateway: PublishGateway = {
    ...{ channelId: "c", latency: "efficient", flush: () => undefined },
    get isFull() {
      return now.isFull;
    },
    leave: () => {
      left += 1;
    },
    tryAdmit: async () => now.admits,
    open: (arrival) => {
      if (!now.isTaken) return undefined;
      arrivals.push(arrival);
      return { push: (message) => void pushed.push(message), end: (end) => void ends.push(end) };
    },
  };
  const openLink = async (address: string, _signal: AbortSignal, from: PullPlace | undefined) => {
    opened.push(address);
    froms.push(from);
    await now.waits.open;
    if (now.error !== undefined) throw new PullFailure(now.error);
    return fakePullLink({
      isUnread: () => now.isUnread,
      isOver: () => now.isOver,
      place: () => now.place,
      failure: () => now.seen,
      close: () => void closed.push(address),
    });
  };
  const run = new PullRun(
    { channelId: "c", position: 0, read },
    { kind: "pull", url },
    {
      ...{ clock, openLink, random: () => 1, onStatus: (status: SourceStatus) => void statuses.push(status) },
      startFfmpeg: (args) => {
        if (!hasFfmpeg) return undefined;
        const ffmpeg = new FakeFfmpeg(args);
        runs.push(ffmpeg);
        return ffmpeg;
      },
      publish: async (_channelId, claim) => {
        await now.waits.publish;
        await claim();
        if (now.isElsewhere) throw new ChannelElsewhereError();
        return gateway;
      },
    },
  );
  const settle = async () => {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  };
  const advance = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 40) {
      clock.advance(Math.min(40, ms - passed));
      await settle();
    }
  };
  const words = () =>
    statuses.map((status) => {
      const error =
        status.state === "stopped" ? status.reason : status.state === "failed" && status.link?.lastError?.code;
      return [status.state, error].filter((word) => typeof word === "string").join(" ");
    });
  const latest = () => runs[runs.length - 1];
  return {
    ...{
      run,
      now,
      clock,
      runs,
      opened,
      closed,
      pushed,
      ends,
      arrivals,
      statuses,
      settle,
      advance,
      words,
      latest,
      froms,
    },
    left: () => left,
  };
}

test.each(["read", "open", "publish"] as const)(
  "a source that is stopped while it waits (%s) leaves nothing open, and begins nothing more",
  async (step) => {
    const { run, now, runs, opened, closed, arrivals, left, latest, settle, advance, words } = stageOf();
    const waits = Promise.withResolvers<void>();
    now.waits[step] = waits.promise;
    await settle();
    latest()?.writes(0, 1_000);
    await advance(80);
    await run.stop("stopped-by-person");
    waits.resolve();
    await advance(60_000);
    expect(words()).toEqual(["starting", "stopped stopped-by-person"]);
    // What was opened is closed, an FFmpeg that was started is ended, and a place that was claimed is given back.
    const done = { read: [0, 0, 0], open: [1, 0, 0], publish: [1, 1, 1] }[step];
    expect([opened.length, runs.length, left()]).toEqual(done);
    expect([closed, runs.every(({ isKilled }) => isKilled), arrivals]).toEqual([opened, true, []]);
  },
);

test("what comes next begins where this one was left, until a whole source was read to its end", async () => {
  const { now, froms, latest, settle, advance } = stageOf();
  const place = { number: 5n, seconds: 30 };
  const next = async (end: () => Promise<void>) => {
    const count = froms.length;
    latest()?.writes(0, 400);
    await advance(1_000);
    await end();
    for (let second = 0; second < 60 && froms.length === count; second += 1) await advance(1_000);
    return froms.at(-1);
  };
  const ended = (failure?: string) => async () => {
    latest()?.ends(failure);
    await advance(40);
    now.place = undefined;
  };
  await settle();
  now.place = place;
  expect(await next(ended())).toEqual(place);
  expect(await next(ended("Invalid data found"))).toEqual(place);
  // It falls silent, and this server ends FFmpeg.
  expect(await next(() => advance(16_000))).toEqual(place);
  now.error = pullError("connection-refused");
  expect(await next(ended("Invalid data found"))).toEqual(place);
  delete now.error;
  expect(await next(() => Promise.resolve())).toEqual(place);
  expect(await next(ended())).toBeUndefined();
});

test("a link that is over ends the attempt a second after the last that FFmpeg wrote, and what it saw is the reason", async () => {
  const { now, latest, settle, advance, words, pushed } = stageOf();
  await settle();
  now.isOver = true;
  latest()?.writes(0, 2_000);
  await advance(2_600);
  expect([words().at(-1), pushed.length]).toEqual(["playing", 100]);
  now.seen = pullError("redirected", "RTSP 3xx");
  await advance(800);
  expect(words()).toEqual(["starting", "playing", "failed TARGET_FORBIDDEN"]);
});

test("a source of a moment is played too", async () => {
  const { latest, settle, advance, words, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 80);
  latest()?.ends();
  await advance(400);
  expect([words().slice(0, 2), pushed.length]).toEqual([["starting", "playing"], 4]);
});

test("while the channel has no room nothing is taken from FFmpeg, and then it goes on", async () => {
  const { now, latest, settle, advance, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 2_000);
  await advance(480);
  const before = pushed.length;
  now.isFull = true;
  await advance(400);
  expect(pushed.length).toBe(before);
  now.isFull = false;
  await advance(40);
  expect(pushed.length).toBe(before + 22);
});

test("a channel that takes no publisher stops it", async () => {
  const { now, latest, settle, advance, words } = stageOf();
  now.isTaken = false;
  await settle();
  latest()?.writes(0, 400);
  await advance(60_000);
  expect(words()).toEqual(["starting", "stopped internal"]);
});

test("a source is connected to, plays in real time with its own times, and stops like an encoder", async () => {
  const { run, latest, settle, advance, words, pushed, ends, arrivals, closed, runs } = stageOf();
  await settle();
  expect(runs).toHaveLength(1);
  latest()?.writes(500, 1_500);
  await advance(80);
  expect(arrivals).toMatchObject([{ slot: "main", remoteAddress: "192.0.2.7", sourceKind: "pull" }]);
  await advance(400);
  const times = pushed.filter(({ kind }) => kind === "video").map(({ timestamp }) => timestamp);
  expect(times.slice(0, 3)).toEqual([0, 40, 80].map((ms) => ms + (times[0] ?? 0)));
  expect(times).toHaveLength(11);
  expect(new Set(pushed.map(({ kind }) => kind))).toEqual(new Set(["audio", "video"]));
  await run.stop("stopped-by-person");
  expect(words()).toEqual(["starting", "playing", "stopped stopped-by-person"]);
  expect([ends, closed, latest()?.isKilled]).toEqual([["clean"], ["rtmp://a/live/key"], true]);
});

test("a pull that another server may play by now leaves like a lost encoder: a clean end would end the stream of that server", async () => {
  const { run, latest, settle, advance, words, ends } = stageOf();
  await settle();
  latest()?.writes(500, 1_500);
  await advance(480);
  await run.stop("elsewhere");
  expect([ends, words().at(-1)]).toEqual([["connection-lost"], "stopped elsewhere"]);
});

test("a source that cannot be reached is tried again after 1, 2, 4 … 30 s, and says when", async () => {
  const { now, opened, settle, advance, words, statuses, clock } = stageOf();
  now.error = pullError("connection-refused");
  await settle();
  const delays: number[] = [];
  for (let attempt = 0; attempt < 7; attempt += 1) {
    const failed = statuses.at(-1);
    if (failed?.state !== "failed") throw new Error("not failed");
    expect(failed.link).toMatchObject({
      status: "FAIL",
      retryAttempt: attempt + 1,
      lastError: { code: "TCP_REFUSED" },
    });
    const delayMs = (failed.link?.nextRetryTime ?? 0) - clock.wallNow();
    delays.push(delayMs);
    await advance(delayMs);
  }
  expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(opened).toHaveLength(8);
  expect(new Set(words())).toEqual(new Set(["starting", "failed TCP_REFUSED"]));
});

test.each([
  { name: "it ends", end: [], code: "REMOTE_CLOSED", text: "ended the stream" },
  { name: "FFmpeg is killed", end: ["the system killed it"], code: "SERVER_TROUBLE", text: "the system killed it" },
  { name: "FFmpeg fails", end: ["Invalid data found"], code: "REMOTE_CLOSED", text: "Invalid data found" },
  {
    name: "the login is wrong",
    end: ["Input/output error", "Server returned 401 Unauthorized"],
    code: "AUTH_FAILED",
    text: "",
  },
  { name: "there is no stream", end: ["x", "Server returned 404 Not Found"], code: "CONNECT_REJECTED", text: "" },
  {
    name: "its video does not fit",
    end: ["Function not implemented", "Video codec 'hevc' for stream 0 is not compatible with FLV"],
    code: "CODEC_UNSUPPORTED",
    text: "hevc",
  },
  {
    name: "its video has a number of the source's",
    end: ["Error initializing", "[flv @ 0x1] Tag [2][0][0][0] incompatible with output codec id '2' ([0][0][0][0])"],
    code: "CODEC_UNSUPPORTED",
    text: "mpeg2video",
  },
])("a reason each: $name", async ({ end, code, text }) => {
  const { latest, settle, advance, statuses } = stageOf();
  await settle();
  latest()?.ends(...end);
  await advance(40);
  expect(statuses.at(-1)).toMatchObject({ state: "failed", link: { lastError: { code } } });
  expect(JSON.stringify(statuses.at(-1))).toContain(text);
});

test("FFmpeg that hangs is killed after 15 s; the channel is held, and the source comes back on air", async () => {
  const { latest, runs, settle, advance, words, statuses, ends } = stageOf();
  await settle();
  latest()?.writes(0, 1_000);
  await advance(14_000);
  expect(words().at(-1)).toBe("playing");
  await advance(3_000);
  expect(runs[0]?.isKilled).toBe(true);
  expect(ends).toEqual(["connection-lost"]);
  expect(statuses.find(({ state }) => state === "failed")).toMatchObject({ link: { lastError: { code: "STALLED" } } });
  await advance(1_000);
  latest()?.writes(0, 1_000);
  await advance(80);
  expect(words()).toEqual(["starting", "playing", "failed STALLED", "starting", "playing"]);
});

test("what is told of a source after the wall clock was set has all its times by the present clock", async () => {
  const { now, clock, settle, advance, statuses } = stageOf();
  now.error = pullError("connection-refused");
  await settle();
  const failedTime = clock.wallNow();
  clock.setWall(86_400_000);
  await advance(1_000);
  expect(statuses.at(-2)).toMatchObject({ state: "starting", link: { lastError: { time: failedTime + 86_400_000 } } });
});

test("a pause of the process is neither FFmpeg's nor the source's", async () => {
  const { clock, latest, runs, settle, advance, words } = stageOf();
  await settle();
  latest()?.writes(0, 1_000);
  await advance(5_000);
  clock.pause(60_000);
  await advance(8_000);
  expect([words().at(-1), runs[0]?.isKilled]).toEqual(["playing", false]);
  await advance(4_000);
  expect([words().slice(2, 3), runs[0]?.isKilled]).toEqual([["failed STALLED"], true]);
});

test("FFmpeg that leaves unread what the source sends is this server's fault, not the source's", async () => {
  const { now, statuses, settle, advance } = stageOf();
  now.isUnread = true;
  await settle();
  await advance(16_000);
  expect(statuses.at(-1)).toMatchObject({
    link: { lastError: { code: "SERVER_TROUBLE", message: expect.stringContaining("(it read nothing for 15 s)") } },
  });
});

test("what the link saw says more than FFmpeg's words, but not why FFmpeg was ended", async () => {
  const { now, latest, settle, advance, words } = stageOf();
  now.seen = pullError("redirected", "RTSP 3xx");
  await settle();
  latest()?.ends("Invalid data found");
  await advance(40);
  expect(words().at(-1)).toBe("failed TARGET_FORBIDDEN");
  await advance(60_000);
  latest()?.ends("the system killed it");
  await advance(40);
  expect(words().at(-1)).toBe("failed SERVER_TROUBLE");
});

test("audio that platforms do not take is encoded: FFmpeg starts again at once", async () => {
  const { latest, runs, settle, advance, words, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 400, G711);
  await advance(80);
  expect(pushed).toEqual([]);
  expect(runs.map(({ args }) => args.includes("aac"))).toEqual([false, true]);
  latest()?.writes(0, 400);
  await advance(80);
  expect(words().at(-1)).toBe("playing");
});

test("such audio is encoded also where it begins long after the video", async () => {
  const { latest, runs, settle, advance, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 1_000);
  await advance(600);
  latest()?.writes(1_000, 1_400, G711);
  await advance(1_000);
  expect(runs.map(({ args }) => args.includes("aac"))).toEqual([false, true]);
  expect(pushed.filter(({ payload }) => payload[0] === G711_HEAD)).toEqual([]);
});

test("three losses within ten minutes make it unstable", async () => {
  const { latest, settle, advance, statuses } = stageOf();
  await settle();
  for (let loss = 0; loss < 3; loss += 1) {
    latest()?.writes(0, 400);
    await advance(1_000);
    latest()?.ends();
    await advance(5_000);
  }
  const unstable = statuses.flatMap((status) => ("link" in status ? [status.link?.isUnstable] : []));
  expect(unstable.slice(0, 3)).toEqual([false, false, false]);
  expect(unstable.at(-1)).toBe(true);
});

test("a channel that another server has stops it", async () => {
  const { now, latest, settle, advance, words } = stageOf();
  now.isElsewhere = true;
  await settle();
  latest()?.writes(0, 400);
  await advance(60_000);
  expect(words()).toEqual(["starting", "stopped elsewhere"]);
});

test.each([
  { fault: "source-encoder-on-air", reason: "encoder-on-air" },
  { fault: "channel-off", reason: "channel-off" },
  { fault: "channel-not-found", reason: "internal" },
] as const)("$fault stops it before it is connected to", async ({ fault, reason }) => {
  const { now, opened, settle, advance, words } = stageOf();
  now.fault = { kind: fault };
  await settle();
  await advance(60_000);
  expect(words()).toEqual(["starting", `stopped ${reason}`]);
  expect(opened).toEqual([]);
});

test("an encoder takes over for good; an overloaded server is asked again", async () => {
  const { now, latest, arrivals, settle, advance, words, left } = stageOf();
  now.admits = "overloaded";
  await settle();
  latest()?.writes(0, 400);
  await advance(80);
  expect([words().at(-1), left()]).toEqual(["failed SERVER_TROUBLE", 1]);
  now.admits = "admitted";
  await advance(1_000);
  latest()?.writes(0, 400);
  await advance(80);
  now.fault = { kind: "source-encoder-on-air" };
  arrivals[0]?.onDismissed();
  await advance(120_000);
  expect(words().slice(-2)).toEqual(["playing", "stopped replaced"]);
});

test("a media thread that dies is no encoder: the source comes back", async () => {
  const { latest, runs, arrivals, settle, advance, words } = stageOf();
  await settle();
  latest()?.writes(0, 400);
  await advance(80);
  arrivals[0]?.onDismissed();
  await settle();
  expect(runs[0]?.isKilled).toBe(true);
  await advance(2_000);
  latest()?.writes(0, 400);
  await advance(80);
  expect(words()).toEqual(["starting", "playing", "failed SERVER_TROUBLE", "starting", "playing"]);
});

test("a source that is stopped right after it was dismissed is over", async () => {
  const { run, opened, latest, arrivals, settle, advance, words } = stageOf();
  await settle();
  latest()?.writes(0, 400);
  await advance(80);
  arrivals[0]?.onDismissed();
  await run.stop("stopped-by-person");
  await advance(60_000);
  expect([words().at(-1), opened.length]).toEqual(["stopped stopped-by-person", 1]);
});

test("another address is connected to at once, and an abandoned source says nothing more", async () => {
  const { run, opened, latest, settle, advance, words, ends, statuses } = stageOf();
  await settle();
  latest()?.writes(0, 400);
  await advance(80);
  run.update({ kind: "pull", url: "rtmp://b/live/key" });
  await settle();
  expect([opened, ends]).toEqual([["rtmp://a/live/key", "rtmp://b/live/key"], ["connection-lost"]]);
  expect(words()).toEqual(["starting", "playing", "starting"]);
  await run.abandon();
  await advance(60_000);
  expect(statuses).toHaveLength(3);
});

test("a source plays on where FFmpeg's numbers begin anew, after 24.8 days", async () => {
  const { latest, settle, advance, pushed, words } = stageOf();
  await settle();
  latest()?.writes(2 ** 31 - 1_008, 2 ** 31);
  await advance(500);
  latest()?.writes(32, 1_032);
  await advance(2_000);
  const times = pushed.filter(({ kind }) => kind === "video").map(({ timestamp }) => timestamp);
  expect(times).toHaveLength(51);
  expect(new Set(times.slice(1).map((time, index) => time - (times[index] ?? 0)))).toEqual(new Set([40]));
  expect(words()).toEqual(["starting", "playing"]);
});

test("a source whose times went back is connected to anew: FFmpeg gives all its frames one time until it has caught up", async () => {
  const { latest, runs, settle, advance, words, statuses, ends, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 1_000);
  await advance(1_000);
  const standing = () => {
    latest()?.waiting.push({ type: 9, timestamp: 1_000, payload: Buffer.from([0x17, 1]) });
    latest()?.waiting.push({ type: 8, timestamp: 1_000, payload: Buffer.from([0xaf, 1]) });
  };
  for (let frame = 0; frame < 50; frame += 1) standing();
  await advance(500);
  expect([words().at(-1), ends]).toEqual(["playing", []]);
  standing();
  await advance(40);
  expect(statuses.at(-1)).toMatchObject({
    state: "failed",
    link: {
      lastError: { code: "REMOTE_CLOSED", severity: "transient", message: expect.stringContaining("began anew") },
    },
  });
  expect([runs.length, runs[0]?.isKilled, ends]).toEqual([1, true, ["connection-lost"]]);
  await advance(1_000);
  const before = pushed.length;
  latest()?.writes(0, 400);
  await advance(400);
  expect([runs.length, words().at(-1), pushed.length > before]).toEqual([2, "playing", true]);
});

test("so is one whose times stand still from its beginning", async () => {
  const { latest, settle, advance, words } = stageOf();
  await settle();
  for (let frame = 0; frame < 250; frame += 1) {
    latest()?.waiting.push({ type: 9, timestamp: 0, payload: Buffer.from([0x17, 1]) });
  }
  await advance(80);
  expect(words()).toEqual(["starting", "playing", "failed REMOTE_CLOSED"]);
});

test("without FFmpeg that is the reason, once a minute", async () => {
  const { opened, settle, advance, statuses } = stageOf({ hasFfmpeg: false });
  await settle();
  await advance(59_000);
  expect(opened).toHaveLength(1);
  expect(statuses.at(-1)).toMatchObject({
    link: { lastError: { code: "SERVER_TROUBLE", message: expect.stringContaining("not installed") } },
  });
  await advance(2_000);
  expect(opened).toHaveLength(2);
});

test("a source that is ahead of its time is caught up with slowly, and a long gap in its times is closed", async () => {
  const { latest, settle, advance, pushed } = stageOf();
  await settle();
  latest()?.writes(0, 60_000);
  await advance(40);
  await advance(10_000);
  const sentMs = (pushed.at(-1)?.timestamp ?? 0) - (pushed[0]?.timestamp ?? 0);
  expect(sentMs).toBeGreaterThanOrEqual(10_040);
  expect(sentMs).toBeLessThanOrEqual(10_160);
  latest()?.waiting.splice(0);
  latest()?.writes(3_600_000, 3_601_000);
  const before = pushed.length;
  await advance(1_200);
  const times = pushed.slice(before).map(({ timestamp }) => timestamp);
  expect(times.length).toBeGreaterThanOrEqual(48);
  expect((times[0] ?? 0) - (pushed[before - 1]?.timestamp ?? 0)).toBeLessThanOrEqual(40);
});

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../../src/app/config/config-error.ts";
import { parseDuration } from "../../src/cli/commands/options.ts";
import { testkitCommand } from "../../src/cli/commands/testkit/testkit.ts";
import { encodeFlvTag, FLV_FILE_START } from "../../src/protocol/flv/flv-tag.ts";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { type EncoderOptions, KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { readFlv } from "../../src/testkit/flv-file.ts";
import { KitTarget, type TargetOptions } from "../../src/testkit/target/target.ts";
import { KitCommand } from "../support/processes/kit-command.ts";

const AT_ONCE = Number.POSITIVE_INFINITY;

async function target(options: TargetOptions = {}): Promise<KitTarget> {
  const started = await KitTarget.start({ messagesMax: 100_000, ...options });
  onTestFinished(() => started.close());
  return started;
}

function publish(port: number, options: Partial<EncoderOptions> = {}): KitEncoder {
  const url = `rtmp://127.0.0.1:${port}/live`;
  const encoder = new KitEncoder({ url, streamKey: "a-key", clip: syntheticClip(), ...options });
  onTestFinished(async () => void (await encoder.stop("reset")));
  return encoder;
}

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "fanfare-testkit-"));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

test("target: without options it takes everything, reports it and records it, and no key is printed", async () => {
  const recordings = await folder();
  const command = new KitCommand(["target", "--port", "0", "--record", join(recordings, "new"), "--messages"]);
  const clip = syntheticClip({ seconds: 2 });
  await publish(await command.port(), { clip, speed: AT_ONCE, streamKey: "canary-key" }).closed;
  const closed = await command.until({ event: "closed", connection: 0 });
  const path = join(recordings, "new", "1-1.flv");
  expect(closed).toMatchObject({ app: "live", stage: "unpublished", state: "ended", recordings: [path] });
  const messages = command.lines.filter((line) => line["event"] === "message");
  expect(messages).toHaveLength([...clip.tags()].length);
  expect(messages[1]).toEqual({
    event: "message",
    connection: 0,
    message: { kind: "video", timestamp: 0, bytes: 45, hash: expect.any(String), isConfig: true, isKeyframe: false },
  });
  // The metadata is recorded as a file has it, without the command around it.
  const recorded = readFlv(await readFile(path)).slice(1);
  expect(recorded.map(({ payload }) => Buffer.from(payload).toString("hex"))).toEqual(
    [...clip.tags()].slice(1).map(({ payload }) => Buffer.from(payload).toString("hex")),
  );
  command.kill("SIGTERM");
  expect(await command.ended()).toBe(0);
  expect(command.stdout).not.toContain("canary-key");
});

test("target: --plain announces no Enhanced RTMP", async () => {
  const command = new KitCommand(["target", "--port", "0", "--plain"]);
  const encoder = publish(await command.port());
  expect(await encoder.accepted).toBe(true);
  expect(encoder.report.peer).toEqual({ capsEx: 0, fourCcs: [] });
});

test("target: stalls, resumes and closes on request", async () => {
  const command = new KitCommand([
    ...["target", "--port", "0", "--stall-after", "200ms", "--resume-after", "0.3s", "--close-after", "1s"],
  ]);
  const encoder = publish(await command.port());
  expect((await encoder.closed).end).toEqual({ how: "lost", isReset: false });
  await command.until({ event: "closed" });
  const faults = command.lines.filter((line) => line["event"] === "fault").map((line) => line["fault"]);
  expect(faults).toEqual(["stalled", "resumed", "closed"]);
});

test("target: demands the login of its options", async () => {
  const command = new KitCommand(["target", "--port", "0", "--login", "adobe:someone:a:secret"]);
  expect((await publish(await command.port()).closed).end).toMatchObject({ failure: { kind: "login-demanded" } });
});

test("target: refuses the first connections only, acknowledges as its options say, and resets after so many bytes", async () => {
  const refusing = new KitCommand(["target", "--port", "0", "--refuse", "key-in-use", "--only-first", "1"]);
  const resetting = new KitCommand([
    ...["target", "--port", "0", "--reset-after-bytes", "200000", "--acknowledge", "1000"],
    ...["--chunk-size", "65536", "--bytes-per-second", "10000000"],
  ]);
  const refused = await publish(await refusing.port()).closed;
  expect(refused.end).toMatchObject({ failure: { code: "NetStream.Publish.BadName", isInUse: true } });
  expect(await publish(await refusing.port()).accepted).toBe(true);
  const encoder = publish(await resetting.port(), { clip: syntheticClip({ kilobits: 4_000 }), speed: 10 });
  expect((await encoder.closed).end).toEqual({ how: "lost", isReset: true });
  expect(encoder.report.acknowledgedBytes).toBeGreaterThan(1_000);
  await resetting.until({ event: "closed", state: "reset-by-target" });
});

test("target: every fault by its option", async () => {
  const cases = [
    { args: ["--close-at", "connect"], end: { how: "lost", isReset: false } },
    { args: ["--silent-at", "publish"], end: { how: "not-accepted" } },
    {
      args: ["--answer", "garbage"],
      end: { how: "refused", failure: { kind: "protocol-error", during: "handshake" } },
    },
    { args: ["--split-bytes", "50", "--close-after-bytes", "50000"], end: { how: "lost", isReset: false } },
    { args: ["--stall-after-bytes", "0", "--reset-after", "100ms"], end: { how: "lost", isReset: true } },
  ];
  const ends = cases.map(async ({ args }) => {
    const command = new KitCommand(["target", "--port", "0", ...args]);
    return (await publish(await command.port(), { speed: 20, acceptDeadlineMs: 2_000 }).closed).end;
  });
  expect(await Promise.all(ends)).toMatchObject(cases.map((each) => each.end));
});

test("encoder: publishes its own clip with a clock and a profile as its options say, and ends with 0", async () => {
  const at = await target();
  const command = new KitCommand([
    ...["encoder", "--url", `${at.url}/the-key`, "--seconds", "2", "--speed", "max", "--start-at", "4294966796ms"],
    ...["--video", "360p", "--sample-rate", "44100", "--channels", "1", "--kilobits", "1000"],
    ...["--jump", "1s:+1h", "--video-skew=-100ms"],
  ]);
  expect(await command.ended()).toBe(0);
  expect(command.lines[0]).toEqual({ event: "accepted" });
  expect(command.lines.at(-1)).toMatchObject({ event: "ended", isAccepted: true, end: { how: "finished" } });
  const report = await at.connections[0]?.closed;
  expect(report?.streamName).toBe("the-key");
  const video = report?.messages.filter((message) => message.kind === "video" && !message.isConfig) ?? [];
  expect(video).toHaveLength(50);
  expect(video[0]?.timestamp).toBe(4_294_966_796 - 100);
  // A second later it wraps, and from there on its clock is an hour ahead.
  expect(video.at(-1)?.timestamp).toBe((4_294_966_796 - 100 + 1_960 + 3_600_000) % 2 ** 32);
  expect(video[10]?.bytes).toBeGreaterThan(4_900);
  expect(report?.messages.filter((message) => message.kind === "audio")).toHaveLength(1 + 87);
});

test("encoder: loops a file, freezes, goes on, and vanishes", async () => {
  const file = join(await folder(), "clip.flv");
  const tags = [...syntheticClip({ seconds: 1, audio: "none" }).tags()];
  await writeFile(file, Buffer.concat([FLV_FILE_START, ...tags.map(encodeFlvTag)]));
  const at = await target();
  const command = new KitCommand([
    ...["encoder", "--url", at.url, "--key", "k", "--clip", file, "--loop", "--speed", "10"],
    ...["--freeze-after", "1s", "--freeze-for", "200ms", "--vanish-after", "3s"],
  ]);
  expect(await command.ended()).toBe(0);
  expect(command.lines.map((line) => line["event"])).toEqual(["accepted", "frozen", "thawed", "ended"]);
  const report = await at.connections[0]?.closed;
  expect(report?.state).toBe("reset");
  expect(report?.messages.filter((message) => message.isKeyframe)).toHaveLength(3);
});

test("encoder: garbage at message k, a refusal, and a missing server end with 1", async () => {
  const at = await target();
  const refusing = await target({ behaviour: { refuse: "bad-name" } });
  const commands = [
    new KitCommand(["encoder", "--url", `${at.url}/k`, "--speed", "20", "--garbage-at", "20"]),
    new KitCommand(["encoder", "--url", `${refusing.url}/k`]),
    new KitCommand(["encoder", "--url", "rtmp://127.0.0.1:1/live/k"]),
  ];
  expect(await Promise.all(commands.map((command) => command.ended()))).toEqual([1, 1, 1]);
  expect((await at.connections[0]?.closed)?.messages).toHaveLength(19);
  expect(commands.map((command) => command.lines.at(-1)?.["end"])).toMatchObject([
    { how: "lost" },
    { how: "refused", failure: { kind: "publish-rejected" } },
    { how: "unreachable", code: "ECONNREFUSED" },
  ]);
});

test("encoder: SIGTERM is a clean stop, SIGKILL a crash, --close-after neither", async () => {
  const at = await target();
  const run = (...args: string[]) => new KitCommand(["encoder", "--url", `${at.url}/k`, ...args]);
  const [stopped, killed, closing] = [run(), run("--channels", "none"), run("--close-after", "300ms")];
  for (const command of [stopped, killed, closing]) await command.until({ event: "accepted" });
  stopped.kill("SIGTERM");
  killed.kill("SIGKILL");
  expect([await stopped.ended(), await killed.ended(), await closing.ended()]).toEqual([0, "SIGKILL", 0]);
  expect(stopped.lines.at(-1)).toMatchObject({ event: "ended", end: { how: "stopped" } });
  const reports = await Promise.all(at.connections.map((connection) => connection.closed));
  const clean = reports.filter((report) => report.commands.includes("deleteStream"));
  expect([reports.length, clean.length]).toEqual([3, 1]);
});

test("encoder: with --follow-requests it goes where the server sends it, and without it stays", async () => {
  const at = await target({ behaviour: (index) => (index < 2 ? { reconnect: { afterMs: 0 } } : {}) });
  const run = (...args: string[]) => new KitCommand(["encoder", "--url", `${at.url}/k`, ...args]);
  const staying = run("--seconds", "3", "--speed", "4");
  await staying.until({ event: "reconnect-requested" });
  expect(await staying.ended()).toBe(0);
  const following = run("--follow-requests");
  await following.until({ event: "moved" });
  following.kill("SIGTERM");
  expect(await following.ended()).toBe(0);
  expect(at.connections).toHaveLength(3);
});

test("proxy: does what its input says, and what its options say", async () => {
  const at = await target();
  const to = ["--to", `127.0.0.1:${at.port}`, "--port", "0"];
  const obeying = new KitCommand(["proxy", ...to, "--delay", "50ms"]);
  const timed = new KitCommand([
    "proxy",
    ...to,
    "--state",
    "stalled",
    "--resume-after",
    "500ms",
    "--reset-after",
    // Counted from its start: a busy machine takes long to read its port and to publish.
    "6s",
  ]);
  const second = publish(await timed.port());
  const first = publish(await obeying.port());
  expect(await first.accepted).toBe(true);
  const said = ["delay 5ms", "bytes-per-second 900000", "fast", "stall up", "resume", "half-close down", "blackhole"];
  for (const line of [...said, "dance", "delay soon", "stall sideways"]) obeying.tell(line);
  for (const line of said) await obeying.until({ event: "done", line });
  for (const line of ["dance", "delay soon", "stall sideways"]) await obeying.until({ event: "not-understood", line });
  expect((await first.closed).end).toEqual({ how: "lost", isReset: false });
  expect((await second.closed).end).toEqual({ how: "lost", isReset: true });
  expect(second.report.isAccepted).toBe(true);
  await timed.until({ event: "closed" });
  // The connection may come before the resumption or after it.
  const happened = timed.lines.map((line) => line["line"] ?? line["event"]);
  expect(happened.filter((each) => each !== "connected")).toEqual(["listening", "resume", "reset", "closed"]);
  obeying.kill("SIGINT");
  expect(await obeying.ended()).toBe(0);
});

test("a command that was not understood ends with 2", async () => {
  const command = new KitCommand(["target", "--stall-after", "10"]);
  expect(await command.ended()).toBe(2);
});

test.each([
  { args: ["--help"], says: "target|encoder|proxy" },
  { args: ["target", "--help"], says: "--stall-after VALUE" },
  { args: ["encoder", "-h"], says: "--garbage-at VALUE" },
  { args: ["proxy", "--help"], says: "half-close down" },
])("testkit $args prints its usage", async ({ args, says }) => {
  expect(await testkitCommand(args, {})).toContain(says);
});

test.each([
  { args: [], says: "target, encoder, proxy" },
  { args: ["dance"], says: "target, encoder, proxy" },
  { args: ["target", "--stall-after", "10"], says: "a duration such as 10s" },
  { args: ["target", "--refuse", "nicely"], says: "bad-name, key-in-use" },
  { args: ["target", "--login", "basic:user:word"], says: "SCHEME:USER:PASSWORD, the scheme one of adobe, llnw" },
  { args: ["target", "--unknown"], says: "--help lists all options" },
  { args: ["encoder"], says: "--url is missing" },
  { args: ["encoder", "--url", "http://x/y"], says: "unsupported-scheme" },
  { args: ["encoder", "--url", "rtmp://x/a/k", "--clip", "/nowhere.flv"], says: "ENOENT" },
  { args: ["encoder", "--url", "rtmp://x/a/k", "--jump", "1s:1"], says: "AT:BY" },
  { args: ["encoder", "--url", "rtmp://x/a/k", "--speed", "0"], says: "max, or a number" },
  { args: ["proxy"], says: "--to is missing" },
  { args: ["proxy", "--to", "x:0"], says: "HOST:PORT" },
])("testkit $args is refused with what is allowed", async ({ args, says }) => {
  await expect(testkitCommand(args, {})).rejects.toThrow(ConfigError);
  await expect(testkitCommand(args, {})).rejects.toThrow(says);
});

test.each([
  ["500ms", 500],
  ["10s", 10_000],
  ["1.5m", 90_000],
  ["1h", 3_600_000],
  ["-5s", -5_000],
  ["+1h", 3_600_000],
  ["2147483648ms", 2 ** 31],
  ["10", undefined],
  ["s", undefined],
  ["1d", undefined],
  ["1s ", undefined],
  ["--1s", undefined],
])("the duration %j is %j ms", (text, durationMs) => {
  expect(parseDuration(text)).toBe(durationMs);
});

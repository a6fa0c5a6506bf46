import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "../../../bench/relay-cost/certificate.ts";
import type { Load } from "../../../bench/relay-cost/load.ts";
import { buildNativeTools, type NativeTools } from "../../../bench/relay-cost/native-tools.ts";
import { ServerProbe } from "../../../bench/server-probe/probe.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { isVideo } from "../../support/streams/flv-file.ts";
import { deliver, faultsBehindFirst, faultsOf } from "../../support/streams/whole-delivery.ts";

// Compares every message that every target got with what was sent: its bytes, its place, its time. Not how fast it came.

let folder: string;
let tools: NativeTools;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-bytes-"));
  tools = await buildNativeTools(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MIB = 1024 * 1024;
/** What a send queue may hold at most, in bytes. */
const SEND_QUEUE_BYTES_MAX = 16 * MIB;
/** Bytes in sockets' queues and in blocks that are only partly needed. */
const SLACK_BYTES = 4 * MIB;

test("two channels' targets get every frame at ten times real time", async () => {
  const { path: clip } = await makeClip({ seconds: 3 });
  const delivery = await deliver({ tools, clip, channelCount: 2, fanOut: 8, speed: 10, rounds: 10 });
  // A target that is not there within 2 s of media begins with the next keyframe: at ten times real time that is soon.
  expect(faultsBehindFirst(delivery, 16)).toEqual([]);
});

test("a pause of the server for a second and a half, at ten times real time, costs no target a frame", async () => {
  const { path: clip } = await makeClip({ seconds: 4 });
  const during = async ({ pids }: { readonly pids: readonly number[] }) => {
    for (const pid of pids) process.kill(pid, "SIGSTOP");
    // Time has to pass here: what encoders send meanwhile is 15 s of media.
    await pass(1_500);
    for (const pid of pids) process.kill(pid, "SIGCONT");
  };
  const delivery = await deliver({ tools, clip, channelCount: 1, fanOut: 4, speed: 10, rounds: 4, during });
  expect(faultsBehindFirst(delivery, 4)).toEqual([]);
});

test("60 Mbit/s with keyframes of 300 KiB arrive whole, also behind TLS", async () => {
  const { path: clip } = await makeClip({ seconds: 2, kilobits: 60_000, size: "1280x720" });
  const tags = readFlv(await readFile(clip));
  expect(Math.max(...tags.filter(isVideo).map(({ payload }) => payload.length))).toBeGreaterThan(300 * 1024);
  expect(tags.reduce((sum, { payload }) => sum + payload.length, 0) * 8).toBeGreaterThan(2 * 50e6);
  expect(faultsOf(await deliver({ tools, clip, channelCount: 1, fanOut: 4, rounds: 2 }), 4)).toEqual([]);
  const tls = await makeCertificate(folder);
  expect(faultsOf(await deliver({ tools, clip, channelCount: 1, fanOut: 2, rounds: 1, tls }), 2)).toEqual([]);
});

test("a hundred targets of one channel get every frame from their first keyframe on", async () => {
  const { path: clip } = await makeClip({ seconds: 4 });
  // A hundred platforms that are dialled at once may need more than the 2 s within which a target gets the first keyframe.
  expect(faultsBehindFirst(await deliver({ tools, clip, channelCount: 1, fanOut: 100, rounds: 1 }), 100)).toEqual([]);
});

test("two hundred channels at once lose nothing between a target's first keyframe and the end", async () => {
  const { path: clip } = await makeClip({
    ...{ seconds: 3, kilobits: 100, size: "160x120", framesPerSecond: 5, sampleRate: 8_000 },
  });
  expect(faultsBehindFirst(await deliver({ tools, clip, channelCount: 200, fanOut: 1, rounds: 2 }), 200)).toEqual([]);
});

test("one target, then half of them, read nothing: the others get every frame, and waiting data is held once for all", async () => {
  const { path: clip } = await makeClip({ seconds: 2, kilobits: 60_000, size: "1280x720" });
  const probe = await ServerProbe.in(folder);
  const held: number[] = [];
  const hold = async () => void held.push((await probe.memory("media")).arrayBuffers);
  const during = async ({ sink }: Load) => {
    // Time has to pass here: unread data fills the sockets' memory within a second or two, then the queue within two.
    await pass(2_000);
    await hold();
    expect(await sink.stick(10)).toBe(1);
    await pass(3_500);
    await hold();
    expect(await sink.stick(2)).toBe(5);
    await pass(3_500);
    await hold();
  };
  const { environment } = probe;
  expect(
    faultsOf(await deliver({ tools, clip, channelCount: 1, fanOut: 10, rounds: 1, environment, during }), 5),
  ).toEqual([]);
  // A GOP is cached for targets that join later; the clip is one.
  const groupBytes = readFlv(await readFile(clip)).reduce((sum, { payload }) => sum + payload.length, 0);
  const [before = 0, ...stuck] = held;
  expect(stuck).toHaveLength(2);
  for (const bytes of stuck) expect(bytes - before).toBeLessThan(groupBytes + SEND_QUEUE_BYTES_MAX + SLACK_BYTES);
});

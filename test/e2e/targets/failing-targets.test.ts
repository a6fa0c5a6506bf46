import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** Well above one full send queue (16 MiB), well below what a queue without a bound would hold by then. */
const MEMORY_GROWTH_BYTES_MAX = 128 * 1_024 * 1_024;
const FAIL_DEADLINE_MS = 30_000;

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1_024;
}

test("each way to fail has its own error, and the healthy target is unaffected by all of them", async () => {
  const stage = await Stage.open();
  // Enough to fill a socket that is not read within seconds.
  const clip = await makeClip({ seconds: 24, kilobits: 8_000 });
  const healthy = await stage.nginx();
  const targets = {
    stalled: await stage.target({ stall: { afterMs: 0 } }),
    refusing: await stage.target({ refuse: "bad-name" }),
    silent: await stage.target({ silentAt: "handshake" }),
    choosy: await stage.target(),
  };
  const { api, fanfare } = await stage.server({ environment: { FANFARE_PLAN_LIMITS: "PROFESSIONAL=6" } });
  const healthyKey = uniqueKey("healthy");
  const channel = await api.createChannel("failing", [
    { rtmpUrl: healthy.url, streamKey: healthyKey },
    { rtmpUrl: targets.stalled.url, streamKey: uniqueKey("stalled") },
    { rtmpUrl: "rtmp://no-such-host.invalid/live", streamKey: uniqueKey("nameless") },
    { rtmpUrl: targets.refusing.url, streamKey: uniqueKey("refused") },
    { rtmpUrl: targets.silent.url, streamKey: uniqueKey("silent") },
    { rtmpUrl: targets.choosy.url, streamKey: uniqueKey("choosy"), tracks: { video: 0, audio: 1 } },
  ]);
  const watch = stage.watch(api, channel);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await watch.until(0, (platform) => platform.connectStatus === "PUBLISHING", 10_000);
  const bytesBefore = await residentBytes(fanfare.pid);

  const failed = (index: number, code: string) =>
    watch.until(index, (platform) => platform.lastError?.code === code, FAIL_DEADLINE_MS);
  const [stalled, nameless, refused, silent, choosy] = await Promise.all([
    failed(1, "STALLED"),
    failed(2, "DNS_FAILED"),
    failed(3, "PUBLISH_REJECTED"),
    failed(4, "HANDSHAKE_FAILED"),
    failed(5, "CODEC_UNSUPPORTED"),
  ]);
  expect(stalled.connectStatus).toBe("FAIL");
  expect(watch.statuses(1)).toContain("PUBLISHING");
  expect(refused.lastError?.severity).toBe("fatal");
  expect(nameless.lastError?.severity).toBe("transient");
  expect(silent.lastError?.severity).toBe("transient");
  expect(choosy.lastError?.message).toContain("audio track chosen for this platform (#1)");
  for (const index of [2, 3, 4]) expect(watch.statuses(index)).not.toContain("PUBLISHING");

  expect(await encoder.exited).toEqual({ code: 0, signal: null });
  expect((await residentBytes(fanfare.pid)) - bytesBefore).toBeLessThan(MEMORY_GROWTH_BYTES_MAX);
  await expectSentPackets(healthy, healthyKey, clip.path);
  expect(await healthy.recordings(healthyKey)).toHaveLength(1);
  const healthyStatuses = watch.statuses(0).filter((status) => status !== "READY" && status !== "CONNECTING");
  expect(healthyStatuses).toEqual(["PUBLISHING"]);
  expect(watch.errorCodes(0)).toEqual([]);
  for (const index of [1, 2, 3, 4]) expect(watch.errorCodes(index)[0]).toBeDefined();
  expect(watch.errorCodes(1)[0]).toBe("STALLED");
  expect(watch.errorCodes(2)).toEqual(["DNS_FAILED"]);
  expect(watch.errorCodes(3)).toEqual(["PUBLISH_REJECTED"]);
  expect(watch.errorCodes(4)).toEqual(["HANDSHAKE_FAILED"]);
  expect(watch.errorCodes(5)).toEqual(["CODEC_UNSUPPORTED"]);
});

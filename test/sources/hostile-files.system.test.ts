import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { SourceStatus } from "../../src/control/channels/source.ts";
import type { MediaFile, MediaFormat } from "../../src/control/ports/media-files.ts";
import { MediaLibrary } from "../../src/media-files/media-library.ts";
import type { PublishGateway } from "../../src/relay/publish-gateway.ts";
import { SlateMaking } from "../../src/sources/slates/slate-making.ts";
import { SourcePlayers, type SourcePlayersDeps } from "../../src/sources/source-players.ts";
import type { ChannelSpec } from "../../src/thread-protocol/channel-spec.ts";
import { testedFfmpeg } from "../support/checks/tested-image.ts";
import { Mutator } from "../support/encoders/fuzz-mutator.ts";
import { runToEnd } from "../support/processes/children.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeFile } from "../support/streams/made-files.ts";

const DEADLINE_MS = 60_000;
const FORMAT: MediaFormat = {
  ...{ kind: "video", durationMs: 1_000, videoCodec: "h264", pixelFormat: "yuv420p", width: 160, height: 90 },
  ...{ frameRate: 30, audioCodec: "aac", sampleRate: 48_000, channels: 2 },
};
const quiet = () => undefined;
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const folder = mkdtempSync(join(tmpdir(), "fanfare-hostile-"));
const whole: Record<string, Buffer> = {};

beforeAll(async () => {
  // The index first, so that a part of the file has it.
  const mp4 = await makeFile(folder, "clip.mp4", { seconds: 1, size: "160x90", audio: ["-movflags", "+faststart"] });
  await runToEnd("ffmpeg", ["-v", "error", "-i", mp4, "-c", "copy", join(folder, "clip.flv")]);
  for (const kind of ["mp4", "flv"]) whole[kind] = readFileSync(join(folder, `clip.${kind}`));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Files whose headers were changed at a few places, the same for the same seed; every third one is cut short too. */
function hostileFiles(kind: string, count: number, seed: number): readonly Buffer[] {
  const good = whole[kind] ?? Buffer.alloc(0);
  const mutator = new Mutator(seed);
  return Array.from({ length: count }, (_, index) => {
    const bytes = Buffer.from(good);
    for (let times = 1 + mutator.below(8); times > 0; times -= 1) mutator.change(bytes.subarray(0, 3_000));
    return index % 3 === 2 ? bytes.subarray(0, Math.floor(bytes.length * 0.7)) : bytes;
  });
}

/**
 * Plays these files as one list; resolves with the last status and the number of frames that were sent. The first
 * argument is the test whose end ends it: others run beside it.
 */
async function play(
  { onTestFinished }: TestContext,
  paths: readonly string[],
  ffmpeg: SourcePlayersDeps["findFfmpeg"] = testedFfmpeg,
) {
  let frames = 0;
  const gateway: PublishGateway = {
    ...{ channelId: "c", latency: "efficient", isFull: false, flush: quiet, leave: quiet },
    tryAdmit: async () => "admitted",
    open: () => ({
      push: () => {
        frames += 1;
      },
      end: quiet,
    }),
  };
  const list: MediaFile[] = paths.map((_, index) => ({
    ...{ fileId: `mf-${index}`, name: `${index}`, bytes: 1, receivedBytes: 1, createdTime: 0 },
    ...{ state: "ready", format: FORMAT },
  }));
  const skipped: string[] = [];
  const over = Promise.withResolvers<SourceStatus>();
  const players = new SourcePlayers({
    ...{ clock: systemClock, random: Math.random, findFfmpeg: ffmpeg },
    log: { ...log, warn: (_event, fields) => void skipped.push(String(fields?.["detail"])) },
    files: {
      ...{ list: () => list, problem: async () => undefined },
      get: (fileId) => list.find((file) => file.fileId === fileId) ?? assert.fail(fileId),
      path: (fileId) => paths[Number(fileId.slice(3))] ?? "",
    },
    openLink: () => Promise.reject(new Error("nothing is pulled")),
    publish: async () => gateway,
    onStatus: (_channelId, status) => {
      if (status.state === "stopped") over.resolve(status);
    },
  });
  onTestFinished(() => players.close());
  const fileIds = list.map(({ fileId }) => fileId);
  const source = { kind: "files", fileIds, isLooped: false } as const;
  players.start({ channelId: "c", source, position: 0, read: async () => ({}) as ChannelSpec });
  return { status: await over.promise, frames, skipped };
}

describe.concurrent("files whose headers lie", () => {
  test.for([
    { kind: "mp4", seed: 11 },
    { kind: "flv", seed: 14 },
  ])(
    "$kind, seed $seed: uploaded, played and made a slate of, each ends with a reason or plays",
    async (made, context) => {
      const place = join(folder, `${made.seed}`);
      const library = new MediaLibrary({
        folder: place,
        quotaBytes: 1e9,
        clock: systemClock,
        log,
        findFfmpeg: testedFfmpeg,
      });
      library.load();
      const paths: string[] = [];
      for (const bytes of hostileFiles(made.kind, 3, made.seed)) {
        const { fileId } = await library.create("odd", bytes.length);
        await library.append(fileId, 0, bytes);
        const file = await waitFor("the check", DEADLINE_MS, () =>
          library.get(fileId).state === "checking" ? undefined : library.get(fileId),
        );
        if (file.state === "refused") expect(file.reason).toMatch(/^The .{5,}\.$/);
        else expect(file).toMatchObject({ state: "ready", format: { kind: "video" } });
        paths.push(library.path(fileId));
      }
      const good = join(folder, "clip.mp4");
      const { status, frames } = await play(context, [...paths, good]);
      // Whatever they do, the good file after them is played to its end.
      expect(status).toMatchObject({ state: "stopped", reason: "finished" });
      expect(frames).toBeGreaterThan(60);
      for (const path of paths) {
        const file = { state: "ready", format: FORMAT } as MediaFile;
        const files = {
          get: () => file,
          path: () => path,
          problem: async () => undefined,
          kept: async () => undefined,
          keep: async () => undefined,
        };
        const making = new SlateMaking({ files, findFfmpeg: testedFfmpeg, stopping: new AbortController().signal });
        const slate = await making.make("mf-0", { videoCodec: "avc", width: 64, height: 36, frameRate: 10 });
        if ("reason" in slate) expect(slate.reason.length).toBeGreaterThan(3);
        else expect(slate.flv.toString("latin1", 0, 3)).toBe("FLV");
      }
      await library.close();
    },
  );

  test("an FFmpeg that is killed while it plays is named, and the next file plays", async (context) => {
    const script = join(folder, "killed");
    const real = testedFfmpeg()?.ffmpeg ?? "";
    writeFileSync(script, `#!/bin/sh\ncase "$*" in *first*) kill -9 $$;; esac\nexec ${real} "$@"\n`, { mode: 0o755 });
    const { status, frames, skipped } = await play(context, ["/first", join(folder, "clip.mp4")], () => ({
      ffmpeg: script,
      ffprobe: script,
    }));
    expect(skipped).toEqual(["the system killed it"]);
    expect(status).toMatchObject({ reason: "finished" });
    expect(frames).toBeGreaterThan(60);
  });
});

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readApplyFile, type WantedChannel } from "../../../src/cli/api/apply/apply-file.ts";
import { disturbs, type Present, planOf, stepText } from "../../../src/cli/api/apply/apply-plan.ts";
import { presentOf } from "./present.ts";

function wantedIn(text: string, env: Readonly<Record<string, string>> = {}): readonly WantedChannel[] {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-apply-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "channels.yaml");
  writeFileSync(path, text);
  return readApplyFile(path, env).channels;
}

const FILE = `
channels:
  - channelName: show
    latency: low
    restream:
      - { targetName: YOUTUBE, rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKeyFrom: YT_KEY }
      - { targetName: CUSTOM, label: mine, rtmpUrl: "rtmp://live.example.com/app", streamKey: k2 }
`;

/** What a server has of it. */
function present(channel: object = {}, platforms: readonly object[] = []): Present {
  return presentOf({ latency: "low", hold: { seconds: 120 }, ...channel }, platforms);
}
const YOUTUBE = {
  platId: 1,
  targetName: "YOUTUBE",
  rtmpUrl: "rtmp://a.rtmp.youtube.com/live2",
  streamKey: "k1",
  enabled: true,
  connectStatus: "READY",
};
const MINE = {
  platId: 2,
  targetName: "CUSTOM",
  label: "mine",
  rtmpUrl: "rtmp://live.example.com/app",
  streamKey: "k2",
  enabled: true,
  connectStatus: "READY",
};

test("a channel that is missing is created; one that is as wanted is left alone", () => {
  const wanted = wantedIn(FILE, { YT_KEY: "k1" });
  expect(planOf(wanted, [], false).map(stepText)).toEqual(["+ channel show with 2 platforms"]);
  expect(planOf(wanted, [present({}, [YOUTUBE, MINE])], true)).toEqual([]);
});

test("only fields that differ change, secrets are not shown, and what the file leaves out stays", () => {
  const wanted = wantedIn(FILE, { YT_KEY: "new" });
  const there = present({ latency: "efficient", hold: { seconds: 60 } }, [
    YOUTUBE,
    { ...MINE, bufferPolicy: "disconnect" },
  ]);
  const steps = planOf(wanted, [there], true);
  expect(steps.map(stepText)).toEqual([
    '~ channel show: latency "efficient" → "low"',
    "~ platform YOUTUBE of show: streamKey changes",
  ]);
  expect(steps[0]).toMatchObject({ fields: { latency: "low" } });
});

test("without pruning nothing is removed, with it everything that the file does not name", () => {
  const wanted = wantedIn(FILE, { YT_KEY: "k1" });
  const other = present({ channelId: "ls-2", channelName: "other", isPublishing: true });
  const there = [
    present({}, [YOUTUBE, MINE, { ...MINE, platId: 3, label: "third", connectStatus: "PUBLISHING" }]),
    other,
  ];
  expect(planOf(wanted, there, false)).toEqual([]);
  const steps = planOf(wanted, there, true);
  expect(steps.map(stepText)).toEqual(["- platform CUSTOM (third) of show  (on air)", "- channel other  (on air)"]);
  expect(steps.map(disturbs)).toEqual([true, true]);
});

test("a change disturbs what is on air unless it only renames, and a new platform never does", () => {
  const there = present({ isPublishing: true }, [{ ...YOUTUBE, connectStatus: "PUBLISHING", label: "old" }, MINE]);
  const text = FILE.replace("targetName: YOUTUBE,", "targetName: YOUTUBE, label: old,");
  const disturbing = (file: string) => planOf(wantedIn(file, { YT_KEY: "k1" }), [there], false).map(disturbs);
  expect(disturbing(text)).toEqual([]);
  expect(disturbing(text.replace("latency: low", "latency: efficient"))).toEqual([true]);
  expect(disturbing(text.replace("latency: low", "hold: { seconds: 9 }"))).toEqual([false]);
  expect(disturbing(text.replace("live2", "live3"))).toEqual([true]);
  // Another hold counts for the one that lasts.
  const held = present({ isPublishing: true, hold: { seconds: 120, endTime: 5 } }, [YOUTUBE, MINE]);
  const shorter = wantedIn(FILE.replace("latency: low", "hold: { seconds: 9 }"), { YT_KEY: "k1" });
  expect(planOf(shorter, [held], false).map(disturbs)).toEqual([true]);
  expect(
    disturbing(`${text}      - { targetName: TWITCH, rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: t }\n`),
  ).toEqual([false]);
});

test("what is wrong with a file is told with its place", () => {
  expect(() => wantedIn(FILE)).toThrow('streamKeyFrom: the environment variable "YT_KEY" is not set.');
  expect(() => wantedIn("channels: 3")).toThrow(/must be an object with a list "channels"\.$/);
  expect(() => wantedIn("channels: [")).toThrow(/is neither YAML nor JSON: /);
  expect(() => wantedIn(FILE.replace("latency: low", "latency: fast"), { YT_KEY: "k" })).toThrow(
    /: channels\.0\.latency must be one of efficient, low\.$/,
  );
  const twice = `${FILE}${FILE.replace("\nchannels:\n", "")}`;
  expect(() => wantedIn(twice, { YT_KEY: "k" })).toThrow(/two channels are named "show"/);
  const bomb = `a: &a [x, x]\nb: &b [*a, *a]\nc: &c [${"*b, ".repeat(200)}*b]\nchannels: [*c]\n`;
  expect(() => wantedIn(bomb)).toThrow(/is neither YAML nor JSON: Excessive alias count/);
});

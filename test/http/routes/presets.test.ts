import { afterEach, beforeEach, expect, test } from "vitest";
import { PLATFORM_NAMES } from "../../../src/api-contract/platform-names.ts";
import { rtmpUrlProblem } from "../../../src/api-contract/rtmp-url.ts";
import { CONFIDENCES } from "../../../src/control/presets/target-preset.ts";
import { limitsOf } from "../../../src/control/presets/target-presets.ts";
import { Api, VIEWER } from "../api.ts";

const URL_OF_PRESETS = "/api/v2/re-stream/presets";

type Preset = {
  readonly targetName: string;
  readonly rtmpUrls: readonly string[];
  readonly backupRtmpUrls: readonly string[];
  readonly urlHelp?: string;
  readonly keyPageUrl?: string;
  readonly livePageUrl?: string;
  readonly confidence: string;
  readonly sources: readonly string[];
  readonly limits: Readonly<Record<string, unknown>> & { readonly unknown: readonly string[] };
};

let api: Api;
beforeEach(async () => {
  api = await Api.open();
});
afterEach(() => api.close());

async function presets(): Promise<readonly Preset[]> {
  const { status, body } = await api.get(URL_OF_PRESETS, VIEWER);
  expect(status).toBe(200);
  return body.content;
}

test("every name except the former one of SOOP has one preset, and a viewer may read them", async () => {
  const names = (await presets()).map(({ targetName }) => targetName);
  expect(names.toSorted()).toEqual(PLATFORM_NAMES.filter((name) => name !== "AFREECATV").sort());
});

test("YouTube's is whole: both protocols, its limits, and which of them are unknown", async () => {
  const youtube = (await presets()).find(({ targetName }) => targetName === "YOUTUBE");
  expect(youtube).toMatchObject({
    displayName: "YouTube",
    displayNameKo: "유튜브",
    rtmpUrls: ["rtmps://a.rtmps.youtube.com:443/live2", "rtmp://a.rtmp.youtube.com/live2"],
    backupRtmpUrls: ["rtmps://b.rtmps.youtube.com:443/live2?backup=1", "rtmp://b.rtmp.youtube.com/live2?backup=1"],
    confidence: "documented",
  });
  expect(youtube?.limits).toEqual({
    videoCodecs: ["avc", "hevc", "av1"],
    audioCodecs: ["aac", "mp3"],
    videoBytesPerSecondMax: 6_375_000,
    keyframeSecondsAdvised: 2,
    keyframeSecondsMax: 4,
    sampleRates: [44_100, 48_000],
    audioChannelsMax: 2,
    tracksNeeded: ["audio"],
    unknown: ["audioBytesPerSecondMax", "frameRateMax", "heightMax", "bFramesMax"],
  });
});

test("a custom server has no known limits", async () => {
  const custom = (await presets()).find(({ targetName }) => targetName === "CUSTOM");
  expect(custom).toMatchObject({ rtmpUrls: [], confidence: "unknown", sources: [] });
  expect(Object.keys(custom?.limits ?? {})).toEqual(["unknown"]);
  expect(custom?.limits.unknown).toHaveLength(12);
});

test("the limits of a name are its preset's, and a name that is not listed has none", () => {
  expect(limitsOf("CHZZK")).toMatchObject({
    keyframeSecondsAdvised: 1,
    bFramesMax: 0,
    videoBytesPerSecondMax: 1_000_000,
  });
  expect(limitsOf("MYSPACE")).toEqual({});
});

test("every address is one that a platform may have, a preset without one says where to find it, and every claim has a source", async () => {
  for (const { targetName, rtmpUrls, backupRtmpUrls, urlHelp, confidence, sources } of await presets()) {
    for (const url of [...rtmpUrls, ...backupRtmpUrls]) expect(rtmpUrlProblem(url), targetName).toBeUndefined();
    if (rtmpUrls.length === 0) expect(urlHelp, targetName).toEqual(expect.any(String));
    expect(CONFIDENCES).toContain(confidence);
    expect(sources.length > 0, targetName).toBe(confidence !== "unknown");
  }
});

test("the pages of platforms are https and nothing but an address; a custom server has none", async () => {
  const all = await presets();
  const pages = all
    .flatMap(({ keyPageUrl, livePageUrl }) => [keyPageUrl, livePageUrl])
    .filter((url) => url !== undefined);
  expect(pages.length).toBeGreaterThan(12);
  for (const page of pages) expect(page).toMatch(/^https:\/\/[a-z0-9.-]+\.[a-z]+\/[a-z0-9/_-]*$/i);
  expect(all.find(({ targetName }) => targetName === "YOUTUBE")).toMatchObject({
    keyPageUrl: "https://www.youtube.com/live_dashboard",
    livePageUrl: "https://studio.youtube.com/",
  });
  expect(all.find(({ targetName }) => targetName === "CUSTOM")).not.toHaveProperty("keyPageUrl");
});

test("a platform is created with the first address of each preset", async () => {
  const restream = (await presets())
    .filter(({ rtmpUrls }) => rtmpUrls.length > 0)
    .map(({ targetName, rtmpUrls }) => ({ targetName, rtmpUrl: rtmpUrls[0], streamKey: "k" }));
  expect(restream.length).toBeGreaterThan(9);
  const channel = await api.create({ planType: "UNLIMITED", restream });
  expect(channel.restream).toHaveLength(restream.length);
});

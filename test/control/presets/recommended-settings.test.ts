import { expect, test } from "vitest";
import { ENCODER_SETTINGS, recommendedSettings } from "../../../src/control/presets/recommended-settings.ts";
import { TARGET_PRESETS } from "../../../src/control/presets/target-presets.ts";

const chosen = (...names: readonly string[]) => names.map((targetName, index) => ({ targetId: index + 1, targetName }));
const valuesOf = (...names: readonly string[]) =>
  Object.fromEntries(
    recommendedSettings(chosen(...names)).settings.map(({ setting, value, targetIds }) => [
      setting,
      targetIds.length === 0 ? value : [value, ...targetIds],
    ]),
  );

test("without a platform whose limits are known it is what encoders usually use, and no platform is named", () => {
  const usual = {
    ...{
      videoCodec: "avc",
      height: 1_080,
      frameRate: 60,
      videoBytesPerSecond: 750_000,
      keyframeSeconds: 2,
      bFrames: 2,
    },
    ...{ audioCodec: "aac", audioBytesPerSecond: 20_000, sampleRate: 48_000, audioChannels: 2 },
  };
  expect(valuesOf()).toEqual(usual);
  expect(valuesOf("CUSTOM")).toEqual(usual);
  expect(Object.keys(usual)).toEqual([...ENCODER_SETTINGS]);
});

test("the strictest limit of the chosen platforms counts, and names the platform that sets it", () => {
  const values = valuesOf("YOUTUBE", "INSTAGRAM", "STEAM", "YOUNOW");
  const limits = Object.fromEntries(TARGET_PRESETS.map(({ targetName, limits: known }) => [targetName, known]));
  const rates = [limits["INSTAGRAM"], limits["STEAM"], limits["YOUNOW"]].map(
    (known) => known?.videoBytesPerSecondMax ?? 1e9,
  );
  const [value, ...setters] = [values["videoBytesPerSecond"]].flat();
  expect(value).toBe(Math.min(750_000, ...rates));
  expect(setters.every((id) => rates[Number(id) - 2] === value)).toBe(true);
});

test("a platform that takes H.264 alone sets the codec and is named among those that refuse newer ones", () => {
  const { settings, refusedCodecs, conflicts } = recommendedSettings(chosen("YOUTUBE", "TWITCH"));
  expect(settings.find(({ setting }) => setting === "videoCodec")).toEqual({
    ...{ setting: "videoCodec", value: "avc", targetIds: [2] },
  });
  expect(refusedCodecs).toEqual([
    { codec: "hevc", targetIds: [2] },
    { codec: "av1", targetIds: [2] },
  ]);
  expect(conflicts).toEqual([]);
  expect(recommendedSettings(chosen("YOUTUBE")).refusedCodecs).toEqual([]);
});

test("of every platform alone, and of all together, there is a value for every setting, and none is above its limits", () => {
  const all = TARGET_PRESETS.map(({ targetName }) => targetName);
  for (const names of [...all.map((name) => [name]), all]) {
    const { settings, conflicts } = recommendedSettings(chosen(...names));
    expect([settings.length, conflicts], names.join()).toEqual([ENCODER_SETTINGS.length, []]);
    const value = Object.fromEntries(settings.map((each) => [each.setting, each.value]));
    for (const { targetName, limits } of TARGET_PRESETS.filter((preset) => names.includes(preset.targetName))) {
      const bounds = [
        [value["height"], limits.heightMax],
        [value["frameRate"], limits.frameRateMax],
        [value["videoBytesPerSecond"], limits.videoBytesPerSecondMax],
        [value["audioBytesPerSecond"], limits.audioBytesPerSecondMax],
        [value["keyframeSeconds"], limits.keyframeSecondsMax],
        [value["bFrames"], limits.bFramesMax],
        [value["audioChannels"], limits.audioChannelsMax],
      ] as const;
      for (const [given, most = Number.POSITIVE_INFINITY] of bounds) {
        expect(Number(given), targetName).toBeLessThanOrEqual(most);
      }
      expect(limits.videoCodecs ?? [value["videoCodec"]]).toContain(value["videoCodec"]);
      expect(limits.audioCodecs ?? [value["audioCodec"]]).toContain(value["audioCodec"]);
      expect(limits.sampleRates ?? [value["sampleRate"]]).toContain(value["sampleRate"]);
    }
  }
});

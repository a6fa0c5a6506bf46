import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chartSvg } from "../../../bench/relay-cost/chart.ts";
import { fanfareRelay } from "../../../bench/relay-cost/fanfare-relay.ts";
import { floorRelay } from "../../../bench/relay-cost/floor-relay.ts";
import { measure } from "../../../bench/relay-cost/measurement.ts";
import { buildNativeTools, type NativeTools } from "../../../bench/relay-cost/native-tools.ts";
import { nginxRelay } from "../../../bench/relay-cost/nginx-relay.ts";
import { ratioTo, reportText, type Series } from "../../../bench/relay-cost/report.ts";
import { makeClip } from "../../support/streams/clip.ts";

let folder: string;
let tools: NativeTools;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
  tools = await buildNativeTools(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const SCENARIO = { fanOut: 3, channelCount: 2, isTls: false, speed: 1 };

test("the bench compares Fanfare with nginx-rtmp and the floor, and checks that every byte is whole", async () => {
  const { path: clip } = await makeClip({ seconds: 6 });
  const conditions = { tools, clip, settleSeconds: 0.5, windowSeconds: 1.5, cores: undefined, tls: undefined };
  const all: Series[] = [];
  for (const relay of [fanfareRelay, nginxRelay, floorRelay]) {
    const one = await measure(relay, SCENARIO, conditions);
    expect([relay.name, one.wrongFrames, one.missingFrames]).toEqual([relay.name, 0, 0]);
    // Six outputs of video and audio over the window.
    expect(one.wholeFrames).toBeGreaterThan(100);
    expect(one.bytesPerSecond).toBeGreaterThan(100_000);
    expect(one.p50Ms).toBeGreaterThan(0);
    all.push({ relay: relay.name, scenario: SCENARIO, windows: [one] });
  }
  const [ours, nginx] = all as [Series, Series];
  // The machine decides the figure; the bench gives one.
  expect(ratioTo(nginx, ours).median).toBeGreaterThan(0);
  expect(ratioTo(nginx, ours).median).toBeLessThan(Number.POSITIVE_INFINITY);
  const context = {
    versions: ["x"],
    windowSeconds: 1.5,
    isPinned: false,
    isVeth: false,
    kilobits: 6_000,
    load: [0, 0],
    command: "x",
    chart: "x.svg",
  } as const;
  expect(reportText(all, context)).toMatch(/\| N = 3 \| nginx-rtmp \| .* whole \|/);
  expect(chartSvg(all).match(/<rect x=/g)).toHaveLength(3);
});

test("the bench notices frames that differ from what was sent", async () => {
  const [{ path: clip }, { path: other }] = [
    await makeClip({ seconds: 6 }),
    await makeClip({ seconds: 6, pitchHz: 880 }),
  ];
  const conditions = { tools, clip, settleSeconds: 0.5, windowSeconds: 1, cores: undefined, tls: undefined };
  const one = await measure(floorRelay, SCENARIO, { ...conditions, comparedWith: other });
  expect(one.wholeFrames).toBe(0);
  expect(one.wrongFrames).toBeGreaterThan(50);
});

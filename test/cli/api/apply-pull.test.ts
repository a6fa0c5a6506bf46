import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { readApplyFile } from "../../../src/cli/api/apply/apply-file.ts";
import { disturbs, type Present, planOf, stepText } from "../../../src/cli/api/apply/apply-plan.ts";
import { presentOf } from "./present.ts";

const URL_NOW = "srt://192.0.2.7:9000?passphrase=0123456789";
const SHOWN = "srt://192.0.2.7:9000?passphrase=****";

function wantedPull(pull: string, env: Readonly<Record<string, string>> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-apply-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "channels.yaml");
  writeFileSync(
    path,
    `
channels:
  - channelName: show
    pull: ${pull}
    restream: [{ targetName: CUSTOM, rtmpUrl: "rtmp://a.example/live", streamKey: key }]
`,
  );
  return readApplyFile(path, env).channels;
}

function present(pull: Present["pull"], isPublishing = false): Present {
  const platforms = [{ platId: 1, targetName: "CUSTOM", rtmpUrl: "rtmp://a.example/live", streamKey: "key" }];
  return presentOf({ isPublishing }, platforms, pull === undefined ? {} : { pull });
}

test.each([
  { name: "another address", pull: '{ url: "rtmp://b.example/live/key" }', text: "pulls rtmp://b.example/live/key" },
  { name: "a start", pull: `{ url: "${URL_NOW}", enabled: true }`, text: "starts" },
  {
    name: "both",
    pull: '{ url: "rtsp://a:b@c.example/1", enabled: true }',
    text: "pulls rtsp://a:****@c.example/1, starts",
  },
  {
    name: "nothing where only the secret differs",
    pull: '{ url: "srt://192.0.2.7:9000?passphrase=other12345" }',
    text: undefined,
  },
  { name: "nothing where it is left out", pull: "null", text: undefined },
])("a file changes what a channel pulls: $name", ({ pull, text }) => {
  const steps = planOf(wantedPull(pull), [present({ url: SHOWN, isRunning: false })], true);
  expect(steps.map(stepText)).toEqual(text === undefined ? [] : [`~ source of show: ${text}`]);
  expect(steps.some(disturbs)).toBe(false);
});

test("what runs on air is disturbed by another address and by a stop", () => {
  for (const pull of ['{ url: "rtmp://b.example/live/key" }', `{ url: "${URL_NOW}", enabled: false }`]) {
    const steps = planOf(wantedPull(pull), [present({ url: SHOWN, isRunning: true }, true)], false);
    expect(steps.map(disturbs)).toEqual([true]);
  }
});

test("an address comes from the environment, and one with asterisks is that of the server that shows it", () => {
  const [channel] = wantedPull("{ urlFrom: CAMERA }", { CAMERA: URL_NOW });
  expect(channel?.pull).toEqual({ url: URL_NOW });
  const shown = wantedPull(`{ url: "${SHOWN}", enabled: false }`);
  expect(planOf(shown, [present({ url: SHOWN, isRunning: false })], true)).toEqual([]);
  const rule = `channel show: pull.url must be written in full, with its password, not as ${SHOWN}.`;
  for (const has of [[], [present({ isRunning: false })]]) expect(() => planOf(shown, has, true)).toThrow(rule);
  expect(() => wantedPull('{ url: "srt://h:1?passphrase=****&latency" }')).toThrow(
    "channels.0.pull.url must be an address with its password",
  );
});

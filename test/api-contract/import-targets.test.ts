import { expect, test } from "vitest";
import { importTargets } from "../../src/api-contract/input/import-targets.ts";

const MULTI_RTMP = {
  audio_configs: [],
  targets: [
    {
      id: "1",
      name: "내 유튜브",
      protocol: "RTMP",
      "service-param": {
        server: "rtmps://a.rtmps.youtube.com:443/live2",
        key: "aaaa-bbbb",
        use_auth: false,
        username: "x",
      },
    },
    {
      id: "2",
      name: "",
      protocol: "RTMP",
      "service-param": {
        server: "rtmp://example.com/app",
        key: "k?t=1",
        use_auth: true,
        username: "me",
        password: "pw",
      },
    },
    { id: "3", name: "SRT", protocol: "SRT", "service-param": { server: "srt://example.com:9000", key: "" } },
  ],
};

type Case = {
  readonly name: string;
  readonly text: string;
  readonly found: readonly object[];
  readonly skipped?: readonly object[];
  readonly problem?: object;
};

const cases: readonly Case[] = [
  {
    name: "obs-multi-rtmp",
    text: JSON.stringify(MULTI_RTMP),
    found: [
      {
        targetName: "YOUTUBE",
        rtmpUrl: "rtmps://a.rtmps.youtube.com:443/live2",
        streamKey: "aaaa-bbbb",
        label: "내 유튜브",
      },
      { targetName: "CUSTOM", rtmpUrl: "rtmp://example.com/app", streamKey: "k?t=1", id: "me", password: "pw" },
    ],
    skipped: [{ what: "SRT", reason: "not-rtmp" }],
  },
  {
    name: "obs-multi-rtmp before 0.3",
    text: '[{"name":"T","rtmp-path":"rtmp://live.twitch.tv/app","rtmp-key":"live_1"}]',
    found: [{ targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_1", label: "T" }],
  },
  {
    name: "OBS's service.json, custom",
    text: '\uFEFF{"type":"rtmp_custom","settings":{"server":"rtmp://h/app","key":"k","use_auth":false,"password":"old"}}',
    found: [{ targetName: "CUSTOM", rtmpUrl: "rtmp://h/app", streamKey: "k" }],
  },
  {
    name: "OBS's service.json, where OBS chooses Twitch's server",
    text: '{"type":"rtmp_common","settings":{"service":"Twitch","server":"auto","key":"k"}}',
    found: [
      {
        targetName: "TWITCH",
        rtmpUrl: "rtmps://ingest.global-contribute.live-video.net:443/app",
        streamKey: "k",
        label: "Twitch",
      },
    ],
  },
  {
    name: "OBS's service.json, where OBS chooses another service's server",
    text: '{"type":"rtmp_common","settings":{"service":"Elsewhere","server":"auto","key":"k"}}',
    found: [],
    skipped: [{ what: "Elsewhere", reason: "not-rtmp" }],
  },
  {
    name: "nginx-rtmp",
    text: [
      "application live {",
      "  # push rtmp://ignored.example.com/app/k;",
      "  push rtmp://a.rtmp.youtube.com/live2/key-1;",
      "  push rtmp://live.twitch.tv/app playpath=live_2 name=main live=1;",
      "  push example.com:1936/app/a/b?c=d; push rtmp://h/only-app;",
      "  push srt://h:9000/secret; push http://h/x playpath=secret name=wrong;",
      "}",
    ].join("\n"),
    found: [
      { targetName: "YOUTUBE", rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKey: "key-1" },
      { targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_2", label: "main" },
      { targetName: "CUSTOM", rtmpUrl: "rtmp://example.com:1936/app", streamKey: "a/b?c=d" },
      { targetName: "CUSTOM", rtmpUrl: "rtmp://h/only-app", streamKey: "" },
    ],
    skipped: [
      { what: "srt://h:9000", reason: "not-rtmp" },
      { what: "wrong", reason: "not-rtmp" },
    ],
  },
  { name: "JSON that breaks off", text: '{"targets":[', found: [], problem: { kind: "broken-json" } },
  {
    name: "JSON with a comma too many",
    text: '{\n  "targets": [],\n}',
    found: [],
    problem: { kind: "broken-json", line: 3, column: 1 },
  },
  { name: "something else", text: "hello", found: [], problem: { kind: "nothing" } },
  { name: "other JSON", text: '{"targets":[],"name":"x"}', found: [], problem: { kind: "nothing" } },
  { name: "a text without end", text: `push ${"x".repeat(1_000_000)}`, found: [], problem: { kind: "too-long" } },
  {
    name: "numbers where text belongs",
    text: '{"targets":[{"service-param":{"server":1,"key":2}},3,null,{"name":"N","rtmp-path":""}]}',
    found: [],
    skipped: [
      { what: "#1", reason: "no-address" },
      { what: "N", reason: "no-address" },
    ],
  },
];

test.each(cases)(
  "import reads $name and lists platforms and lines that cannot be one",
  ({ text, found, skipped = [], problem }) => {
    expect(importTargets(text)).toEqual({
      targets: found,
      skipped,
      ...(problem === undefined ? {} : { problem }),
    });
  },
);

test("import lists no more than a channel may have, and labels no longer than allowed", () => {
  const long = "이".repeat(60);
  const { targets, skipped } = importTargets(
    Array.from({ length: 150 }, (_, index) => `push rtmp://h/a/${index} name=${long};`).join("\n"),
  );
  expect(targets).toHaveLength(100);
  expect(targets[0]?.label).toBe("이".repeat(40));
  expect(skipped).toHaveLength(50);
  expect(skipped[0]).toEqual({ what: "이".repeat(40), reason: "too-many" });
});

test("text that was pasted along with an address or a key is removed and reported", () => {
  const settings = { server: "\u200brtmp://h/live", key: "\u200b rtmp://h/live/mp4:key" };
  const { targets } = importTargets(JSON.stringify({ settings }));
  expect(targets).toMatchObject([{ rtmpUrl: "rtmp://h/live", streamKey: "key" }]);
  expect(targets[0]?.notes?.map(({ field, code }) => `${field} ${code}`)).toEqual([
    "rtmpUrl INVISIBLE_REMOVED",
    "streamKey INVISIBLE_REMOVED",
    "streamKey ADDRESS_REMOVED",
    "streamKey PREFIX_REMOVED",
  ]);
  const hidden = importTargets(JSON.stringify({ settings: { server: "rtmp://h/live", key: "\u200b" } }));
  expect(hidden.targets).toMatchObject([{ streamKey: "" }]);
});

test("a pull of nginx-rtmp is left out, named by name or host, and never with its key", () => {
  const { targets, skipped } = importTargets(
    "pull rtmp://source/live/secret name=camera;\npull rtmp://other/live/secret;\npush rtmp://h/live/key;",
  );
  expect(targets).toMatchObject([{ rtmpUrl: "rtmp://h/live", streamKey: "key" }]);
  expect(skipped).toEqual([
    { what: "camera", reason: "pull" },
    { what: "rtmp://other", reason: "pull" },
  ]);
});

test("a blank inside a key stays and gives a question; blanks around it are removed", () => {
  const [inside, around] = ["live key", " key "].map((key) =>
    importTargets(JSON.stringify({ settings: { server: "rtmp://h/live", key: `\u200b${key}` } })),
  );
  expect(inside?.targets[0]).toMatchObject({
    streamKey: "live key",
    notes: [{ code: "INVISIBLE_REMOVED" }, { field: "streamKey", code: "BLANK_INSIDE" }],
  });
  expect(around?.targets[0]?.notes?.map(({ code }) => code)).toEqual(["INVISIBLE_REMOVED"]);
});

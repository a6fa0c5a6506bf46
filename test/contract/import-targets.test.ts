import { expect, test } from "vitest";
import { importTargets } from "../../src/contract/import-targets.ts";

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

const cases: readonly { name: string; text: string; found: readonly object[] }[] = [
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
    name: "OBS's service.json, whose server OBS chooses itself",
    text: '{"type":"rtmp_common","settings":{"service":"Twitch","server":"auto","key":"k"}}',
    found: [],
  },
  {
    name: "nginx-rtmp",
    text: [
      "application live {",
      "  # push rtmp://ignored.example.com/app/k;",
      "  push rtmp://a.rtmp.youtube.com/live2/key-1;",
      "  push rtmp://live.twitch.tv/app playpath=live_2 name=main live=1;",
      "  push example.com:1936/app/a/b?c=d; push rtmp://h/only-app;",
      "}",
    ].join("\n"),
    found: [
      { targetName: "YOUTUBE", rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKey: "key-1" },
      { targetName: "TWITCH", rtmpUrl: "rtmp://live.twitch.tv/app", streamKey: "live_2", label: "main" },
      { targetName: "CUSTOM", rtmpUrl: "rtmp://example.com:1936/app", streamKey: "a/b?c=d" },
      { targetName: "CUSTOM", rtmpUrl: "rtmp://h/only-app", streamKey: "" },
    ],
  },
  { name: "broken JSON", text: '{"targets":[', found: [] },
  { name: "something else", text: "hello", found: [] },
  {
    name: "numbers where text belongs",
    text: '{"targets":[{"service-param":{"server":1,"key":2}},3,null]}',
    found: [],
  },
];

test.each(cases)("platforms are found in $name", ({ text, found }) => {
  expect(importTargets(text)).toEqual(found);
});

test("no more are found than a channel may have, and labels are as long as they may be", () => {
  const long = "이".repeat(60);
  const found = importTargets(
    Array.from({ length: 150 }, (_, index) => `push rtmp://h/a/${index} name=${long};`).join("\n"),
  );
  expect(found).toHaveLength(100);
  expect(found[0]?.label).toBe("이".repeat(40));
});

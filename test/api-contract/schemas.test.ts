import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePublishStatusName } from "../../src/api-contract/channel-status.ts";
import { rtmpUrlProblem } from "../../src/api-contract/rtmp-url.ts";
import { callbackRequest, historyQuery } from "../../src/api-contract/schemas/event-schemas.ts";
import { parseBody, parsePathInteger, parseQuery } from "../../src/api-contract/schemas/field-errors.ts";
import { updateScheduleRequest } from "../../src/api-contract/schemas/schedule-schemas.ts";
import {
  createChannelRequest,
  editPlatformRequest,
  listChannelsQuery,
  updateChannelRequest,
} from "../../src/api-contract/schemas/schemas.ts";
import { createMediaFileRequest } from "../../src/api-contract/schemas/source-schemas.ts";

const PLATFORM = { targetName: "YOUTUBE", rtmpUrl: "rtmp://a.rtmp.youtube.com/live2", streamKey: "abcd-efgh" };
const CHANNEL = { channelName: "channel001", planType: "STANDARD", restream: [PLATFORM] };

/** Code and named field of the refusal; undefined where the body is accepted. */
function refusal(schema: typeof createChannelRequest | typeof editPlatformRequest, body: unknown) {
  const parsed = parseBody(schema, body);
  if (!("error" in parsed)) return undefined;
  const { errorCode, message } = parsed.error.body.error;
  return `${errorCode} ${message}`;
}

const create = (change: object) => refusal(createChannelRequest, { ...CHANNEL, ...change });
const platform = (change: object) => create({ restream: [PLATFORM, { ...PLATFORM, ...change }] });

test.each([
  ["the required fields alone", CHANNEL],
  ["three characters", { ...CHANNEL, channelName: "a_1" }],
  ["twenty characters", { ...CHANNEL, channelName: "a".repeat(20) }],
  ["Korean syllables", { ...CHANNEL, channelName: "나의채널" }],
  ["Korean letters alone", { ...CHANNEL, channelName: "ㄱㄴㄷㅏㅑ" }],
  ["Korean letters as macOS decomposes them", { ...CHANNEL, channelName: "채널1".normalize("NFD") }],
  ["null for what is not set", { ...CHANNEL, envType: null, hold: null, backup: { enabled: null } }],
  ["the shortest hold and a backup", { ...CHANNEL, hold: { seconds: 0 }, backup: { enabled: true } }],
  ["the longest hold", { ...CHANNEL, hold: { seconds: 1_800 } }],
  ["unknown fields", { ...CHANNEL, cdn: { x: 1 }, record: "no" }],
  ["a platform without an application", { ...CHANNEL, restream: [{ ...PLATFORM, rtmpUrl: "rtmp://x.only" }] }],
  [
    "every field of a platform",
    {
      ...CHANNEL,
      restream: [{ ...PLATFORM, id: "u", password: "p", enabled: false, label: "L", bufferPolicy: "disconnect" }],
    },
  ],
  ["keys as platforms make them", { ...CHANNEL, restream: [{ ...PLATFORM, streamKey: "?streamname=a&key=b:c%20/d" }] }],
  ["a key with the newline it was pasted with", { ...CHANNEL, restream: [{ ...PLATFORM, streamKey: "abc\n" }] }],
  [
    "the longest texts",
    {
      ...CHANNEL,
      restream: [
        {
          ...PLATFORM,
          rtmpUrl: `rtmp://host/${"a".repeat(1024 - 12)}`,
          streamKey: "k".repeat(512),
          id: "i".repeat(128),
          password: "🔑".repeat(128),
          label: "이".repeat(40),
        },
      ],
    },
  ],
])("a channel is accepted with %s", (_name, body) => {
  expect(refusal(createChannelRequest, body)).toBeUndefined();
});

test("lengths are counted in characters, of files and schedules too", () => {
  const name = (characters: number) => "😀".repeat(characters);
  const file = (fileName: string) => createMediaFileRequest.safeParse({ fileName, bytes: 1 }).success;
  expect([file(name(200)), file(name(201))]).toEqual([true, false]);
  const schedule = (scheduleName: string) => updateScheduleRequest.safeParse({ scheduleName }).success;
  expect([schedule(name(80)), schedule(name(81))]).toEqual([true, false]);
  const callback = (characters: number) =>
    callbackRequest.safeParse({ callbackUrl: `https://h/${name(characters - 10)}` }).success;
  expect([callback(1_024), callback(1_025)]).toEqual([true, false]);
});

test("a condition of a list that is empty is none", () => {
  const read = (query: object) => parseQuery(listChannelsQuery, query);
  expect(read({ channelStatus: "", channelId: "", channelName: "" })).toEqual({
    value: { pageNo: 1, pageSizeNo: 20, channelName: "" },
  });
  expect(read({ channelStatus: "BLOCK" })).toMatchObject({ value: { channelStatus: "BLOCK" } });
  expect(parseQuery(historyQuery, { fromTime: "", toTime: "7" })).toMatchObject({ value: { toTime: 7 } });
});

test.each(
  [
    "YOUTUBE CHZZK STEAM YOUNOW USTREAM AFREECATV PRISM CUSTOM TWITCH".split(" "),
    "FACEBOOK KICK SOOP NAVERTV KAKAO TIKTOK X INSTAGRAM LINKEDIN TROVO VIMEO".split(" "),
  ].flat(),
)("%s is a platform", (targetName) => {
  expect(platform({ targetName })).toBeUndefined();
});

test.each([
  ["channelName", "채널"],
  ["channelName", "a".repeat(21)],
  ["channelName", "ab c"],
  ["channelName", "日本語"],
  ["channelName", "a-b-c"],
  ["channelName", 12345],
  ["planType", "FREE"],
  ["planType", "standard"],
  ["planType", 3],
  ["envType", "PROD"],
  ["envType", ""],
  ["restream", "x"],
  ["restream", { 0: PLATFORM }],
  ["hold", 5],
  ["hold.seconds", 1801],
  ["hold.seconds", -1],
  ["hold.seconds", 1.5],
  ["hold.seconds", "120"],
  ["backup", true],
  ["backup.enabled", "true"],
  ["latency", "fast"],
  ["ingestAuth", "x"],
  ["ingestAuth.id", "two words"],
  ["ingestAuth.id", "a&b"],
  ["ingestAuth.password", 5],
  ["srtPassphrase", "too-short"],
  ["srtPassphrase", "with+plus-sign"],
])("%s is refused with 250002 as %j", (field, value) => {
  const [name, inner] = field.split(".");
  expect(create({ [String(name)]: inner === undefined ? value : { [inner]: value } })).toBe(
    `250002 ${field}: invalid value.`,
  );
});

test.each([
  ["targetName", "MYSPACE"],
  ["targetName", 1],
  ["rtmpUrl", "http://a/b"],
  ["rtmpUrl", ["rtmp://a/b"]],
  ["rtmpUrl", `rtmp://host/${"a".repeat(1024 - 11)}`],
  ["streamKey", 5],
  ["streamKey", "   "],
  ["streamKey", "k".repeat(513)],
  ["streamKey", "a\0b"],
  ["streamKey", "\ud800"],
  ["id", "i".repeat(129)],
  ["password", "p".repeat(129)],
  ["streamId", 1],
  ["streamPassword", true],
  ["enabled", "true"],
  ["label", "l".repeat(41)],
  ["label", "a\nb"],
  ["tracks", 1],
  ["tls", true],
  ["bufferPolicy", "wait"],
])("restream[1].%s is refused with 250002 as %j", (field, value) => {
  expect(platform({ [field]: value })).toBe(`250002 restream[1].${field}: invalid value.`);
});

test.each(["channelName", "planType", "restream"])("%s is required", (field) => {
  for (const nothing of [undefined, null, ""]) {
    expect(create({ [field]: nothing })).toBe(`250011 ${field} must has a valid value`);
  }
});

test.each(["targetName", "rtmpUrl", "streamKey"])("restream[1].%s is required", (field) => {
  for (const nothing of [undefined, null, ""]) {
    expect(platform({ [field]: nothing })).toBe(`250011 restream[1].${field} must has a valid value`);
  }
});

test("an element of restream that is no object is named, and no element at all is refused with 250014", () => {
  expect(create({ restream: [PLATFORM, 5] })).toBe("250002 restream[1]: invalid value.");
  expect(create({ restream: [null] })).toBe("250002 restream[0]: invalid value.");
  expect(create({ restream: [] })).toBe("250014 Form validation failed");
});

test("more than 100 elements of restream are refused with 250014, without a look at any of them", () => {
  let looks = 0;
  const element = {
    get targetName() {
      looks += 1;
      return "none";
    },
  };
  const body = { ...CHANNEL, planType: "UNLIMITED", restream: Array.from({ length: 101 }, () => element) };
  const parsed = parseBody(createChannelRequest, body);
  expect("error" in parsed ? parsed.error.body.error : undefined).toEqual({
    errorCode: 250014,
    errorName: "FORMVALIDATION_FAILED",
    message: "Form validation failed",
    details: "restream: expected at most 100 platforms, got 101.",
  });
  expect(looks).toBe(0);
  expect(refusal(createChannelRequest, { ...body, channelName: "y" })).toBe("250002 channelName: invalid value.");
  expect(create({ restream: Array.from({ length: 100 }, () => PLATFORM) })).toBeUndefined();
});

test("JSON that is no object is refused", () => {
  for (const body of [[], "x", 5, null, true]) {
    expect(refusal(createChannelRequest, body)).toBe("250012 Invalid request data,please check");
  }
});

test("of several wrong fields the first in the contract's order is named, whatever order they came in", () => {
  expect(refusal(createChannelRequest, { restream: [], planType: "x", channelName: "y" })).toBe(
    "250002 channelName: invalid value.",
  );
  expect(refusal(createChannelRequest, { restream: [], planType: "x", channelName: "name" })).toBe(
    "250002 planType: invalid value.",
  );
  expect(
    refusal(createChannelRequest, {
      ...CHANNEL,
      hold: 1,
      restream: [{ streamKey: 1, rtmpUrl: 1, targetName: "X" }, { targetName: "?" }],
    }),
  ).toBe("250002 restream[0].rtmpUrl: invalid value.");
});

test("details say what is allowed and what was given, and never a secret", () => {
  const details = (body: unknown) => {
    const parsed = parseBody(createChannelRequest, body);
    return "error" in parsed ? parsed.error.body.error.details : undefined;
  };
  expect(details({ ...CHANNEL, envType: "PROD" })).toBe('envType: expected one of REAL, DEV, STAGE, got "PROD".');
  expect(details({ ...CHANNEL, channelName: "n".repeat(500) })).toBe(
    `channelName: expected 3 to 20 Korean or English letters, digits or _, got "${"n".repeat(59)}….`,
  );
  expect(details({ ...CHANNEL, planType: ["FREE", [1], { x: 1 }] })).toContain('got ["FREE","…","…"].');
  expect(details({ ...CHANNEL, restream: [{ ...PLATFORM, streamKey: "canary\0" }] })).not.toContain("canary");
  expect(details({ ...CHANNEL, restream: [{ ...PLATFORM, rtmpUrl: "rtmp://canary@x" }] })).not.toContain("canary");
});

test("a value of more levels than a stack has is refused like any other", () => {
  const levels = 100_000;
  for (const [open, close] of [
    ["[", "]"],
    ['{"":', "}"],
  ] as const) {
    const deep: unknown = JSON.parse(`${open.repeat(levels)}0${close.repeat(levels)}`);
    expect(refusal(createChannelRequest, { ...CHANNEL, channelName: deep })).toBe("250002 channelName: invalid value.");
    expect(refusal(createChannelRequest, { ...CHANNEL, restream: [deep] })).toMatch(/^2500(02|11) restream\[0\]/);
  }
});

test("the edit of a platform needs address and key, and may leave out the rest", () => {
  const edit = (body: unknown) => refusal(editPlatformRequest, body);
  const { rtmpUrl, streamKey } = PLATFORM;
  expect(edit({ rtmpUrl, streamKey })).toBeUndefined();
  expect(edit({ rtmpUrl, streamKey, streamId: "", streamPassword: "", targetName: 5, label: null })).toBeUndefined();
  expect(edit({ streamKey })).toBe("250011 rtmpUrl must has a valid value");
  expect(edit({ rtmpUrl })).toBe("250011 streamKey must has a valid value");
  expect(edit({ rtmpUrl: "x", streamKey: "" })).toBe("250002 rtmpUrl: invalid value.");
  expect(edit({ rtmpUrl, streamKey, streamId: 5 })).toBe("250002 streamId: invalid value.");
  expect(edit({ rtmpUrl, streamKey, tracks: { video: 1 } })).toBeUndefined();
  expect(edit({ rtmpUrl, streamKey, tracks: { video: 256 } })).toBe("250002 tracks.video: invalid value.");
});

test.each([
  "rtmp://notworking-just-testcase.only",
  "rtmp://a.rtmp.youtube.com/live2",
  "RTMPS://live-api-s.facebook.com:443/rtmp/",
  "rtmp://b.rtmp.youtube.com/live2?backup=1",
  "rtmp://[2001:db8::1]:1935/app",
  "rtmp://방송.한국/app",
  "rtmp://host:65535",
  "rtmp://127.0.0.1:1936/live",
  "rtmp://under_score.example.com./app",
  "rtmp://string",
])("%s is accepted as an address", (url) => {
  expect(rtmpUrlProblem(url)).toBeUndefined();
});

test.each([
  "",
  "rtmp",
  "rtmp://",
  "rtmp:///app/key",
  "rtmp:host/app",
  "rtmpt://host/app",
  "https://host/app",
  " rtmp://host/app",
  "rtmp://host/app ",
  "rtmp://host/a pp",
  "rtmp://host/a\tpp",
  "rtmp://host/app\r\n",
  "rtmp://host\\@evil/app",
  "rtmp://host/a\\b",
  "rtmp://host/\u007f",
  "rtmp://ho\u00a0st/app",
  "rtmp://ho\u3000st/app",
  "rtmp://host/\ud800",
  "rtmp://user:pass@host/app",
  "rtmp://host:/app",
  "rtmp://host:0/app",
  "rtmp://host:65536/app",
  "rtmp://host:rtmp/app",
  "rtmp://::1/app",
  "rtmp://[::1/app",
  "rtmp://?x",
  "rtmp://host:01935/app",
  "rtmp://host:123456/app",
  "rtmp://2130706433/app",
  "rtmp://127.1/app",
  "rtmp://0x7f.0.0.1/app",
  "rtmp://0177.0.0.1/app",
  "rtmp://１２７.0.0.1/app",
  "rtmp://a..b/app",
  "rtmp://-a.example.com/app",
  "rtmp://a!b/app",
  "rtmp://%31%32%37.1/app",
  "rtmp://[fe80::1%eth0]/app",
  "rtmp://[1::2::3]/app",
  `rtmp://${"a".repeat(64)}.example.com/app`,
])("%j is refused as an address", (url) => {
  expect(rtmpUrlProblem(url)).toEqual(expect.any(String));
});

test("any JSON that a client sends is read, or refused with a code and a field", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (body, element) => {
      for (const sent of [body, { ...CHANNEL, restream: body }, { ...CHANNEL, restream: [element] }]) {
        const parsed = parseBody(createChannelRequest, sent);
        if ("error" in parsed) expect(parsed.error.status).toBe(400);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  [{}, { pageNo: 1, pageSizeNo: 20 }],
  [
    { pageNo: "3", pageSizeNo: "100" },
    { pageNo: 3, pageSizeNo: 100 },
  ],
  [
    { responseFormatType: "json", regionCode: "KR" },
    { pageNo: 1, pageSizeNo: 20 },
  ],
])("the list's query %j is %j", (query, expected) => {
  expect(parseQuery(listChannelsQuery, query)).toEqual({ value: expected });
});

test.each([
  [{ pageNo: "x" }, 250021, "Invalid parameter type pageNo."],
  [{ pageNo: "1.5" }, 250021, "Invalid parameter type pageNo."],
  [{ pageNo: "" }, 250021, "Invalid parameter type pageNo."],
  [{ pageNo: ["1", "2"] }, 250021, "Invalid parameter type pageNo."],
  [{ pageSizeNo: "1e1" }, 250021, "Invalid parameter type pageSizeNo."],
  [{ pageNo: "0" }, 250002, "pageNo: invalid value."],
  [{ pageNo: "-1" }, 250002, "pageNo: invalid value."],
  [{ pageNo: "9".repeat(400) }, 250002, "pageNo: invalid value."],
  [{ pageSizeNo: "101" }, 250002, "pageSizeNo: invalid value."],
  [{ channelStatus: "LIVE" }, 250002, "channelStatus: invalid value."],
])("the list's query %j is refused with %d", (query, errorCode, message) => {
  expect(parseQuery(listChannelsQuery, query)).toMatchObject({ error: { body: { error: { errorCode, message } } } });
});

test("a platform id is any integer, also one that no platform can have", () => {
  expect(parsePathInteger("platformId", "39")).toEqual({ value: 39 });
  for (const digits of ["9".repeat(17), "9".repeat(30), "9".repeat(400)]) {
    expect(parsePathInteger("platformId", digits)).toEqual({ value: Number.MAX_SAFE_INTEGER });
    expect(parsePathInteger("platformId", `-${digits}`)).toEqual({ value: -Number.MAX_SAFE_INTEGER });
  }
  for (const text of ["", "x", "39x", "3.9", "%33", "0x1", "１"]) {
    expect(parsePathInteger("platformId", text)).toMatchObject({
      error: { status: 400, body: { error: { errorCode: 250021, message: "Invalid parameter type platformId." } } },
    });
  }
});

test("the name of a channel on air is one of the two the original had", () => {
  expect(["PUBLISHING", "PUBLISH", "publish", ""].map(parsePublishStatusName)).toEqual([
    "PUBLISHING",
    "PUBLISH",
    undefined,
    undefined,
  ]);
});

test.each([
  ["rtmp://127.1/app", "rtmpUrl: expected a host that is a name, an IPv6 address in brackets or four decimal numbers"],
  ["rtmp://host:01935/app", "rtmpUrl: expected a port from 1 to 65535, without leading zeros."],
  ["rtmp://[1::2::3]/app", "rtmpUrl: expected a valid IPv6 address in the brackets."],
])("the fault in %s is described in a sentence", (rtmpUrl, details) => {
  const parsed = parseBody(editPlatformRequest, { rtmpUrl, streamKey: "key" });
  expect(parsed).toMatchObject({ error: { body: { error: { details: expect.stringContaining(details) } } } });
});

test.each([
  ["latency", "fast"],
  ["ingestAuth", 5],
])("the update of a channel refuses %s as %j", (field, value) => {
  const parsed = parseBody(updateChannelRequest, { [field]: value });
  expect(parsed).toMatchObject({ error: { body: { error: { message: `${field}: invalid value.` } } } });
});

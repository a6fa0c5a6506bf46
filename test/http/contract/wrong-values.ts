import { PLATFORM_NAMES } from "../../../src/api-contract/platform-names.ts";

/** A value that is refused, and the rule that the refusal names. */
export type WrongValue = { readonly value: unknown; readonly rule: string };

const wrong = (rule: string, ...values: readonly unknown[]): WrongValue[] => values.map((value) => ({ value, rule }));

const NAME = "3 to 20 Korean or English letters, digits or _";
/** Copied from an answer: none of these is a value. */
const MASKS = wrong("the text in full, not with asterisks", "*", "****", "q**********");
const LOGIN = [...wrong("text of at most 128 characters", 5, {}, "x".repeat(129), "a\u0000b"), ...MASKS];
const FLAG = wrong("true or false", "true", 1, {});
const TRACK = wrong("a track's number, 0 to 255", "0", -1, 256, 0.5, {});
const TIME_OF_DAY = wrong("a time of day such as 20:00 or 20:00:30", 5, "24:00", "8:00", "20:60", "20:00:60", {});
const LABEL = [
  ...wrong("text of at most 40 characters", 5, []),
  ...wrong("at most 40 characters, no control characters", "x".repeat(41), "😀".repeat(41), "a\nb"),
];
const CONTACT_NAME = "text of 1 to 40 characters, none of them a control character";
const oneOf = (words: readonly string[], ...values: readonly unknown[]) =>
  wrong(`one of ${words.join(", ")}`, ...values, 5, `${words.join()},`);
const PULL_RULE = "an address that begins with rtmp://, rtmps://, rtsp://, srt://, http:// or https://";
const CALLBACK = [
  ...wrong("an http:// or https:// address", 5, {}),
  ...wrong("an address that begins with http:// or https://", "ftp://host/", "x"),
  ...wrong("an address of at most 1024 characters", `https://h/${"x".repeat(1_024)}`),
  ...wrong("an address in full, not with “…”", "https://hooks.example.com/…", "http://host:8080/…"),
];

/** For every field of every body, by its name: values of a wrong type, too long, outside its enum. */
export const WRONG_BODY_VALUES: Readonly<Record<string, readonly WrongValue[]>> = {
  channelName: wrong(NAME, 5, null, "ab", "x".repeat(21), "two words", "a-b", ["abc"]).filter(
    ({ value }) => value !== null,
  ),
  planType: oneOf(["STANDARD", "PROFESSIONAL", "UNLIMITED"], "FREE", "standard"),
  envType: oneOf(["REAL", "DEV", "STAGE"], "PROD", ""),
  restream: wrong("an array of platforms", "x", {}, 5),
  targetName: oneOf(PLATFORM_NAMES, "MYSPACE", "youtube"),
  rtmpUrl: [
    ...wrong("an rtmp://, rtmps:// or srt:// address", 5, {}),
    ...wrong("an address that begins with rtmp:// or rtmps://", "http://host/app", "host"),
    ...wrong("an address of at most 1024 characters", `rtmp://h/${"x".repeat(1_016)}`),
    ...wrong("an address in full, not with “…”", "rtmp://live.example.com/…", "srt://live.example.com:9000/…"),
  ],
  streamKey: [
    ...wrong("text of at most 512 characters", 5, {}, "x".repeat(513), "a\u0000b"),
    ...wrong(
      "the platform's key; without blanks, prefixes and invisible characters nothing is left of this one",
      "  ",
      "\u200b",
      "\ufeff\u00a0",
      "mp4:",
      "%2F",
    ),
    ...wrong("the platform's key; this is its address, with no key behind it", "rtmp://only", "RTMPS://host/app"),
    ...MASKS,
    ...wrong("the text in full, not with asterisks", "abcd****", "ab***"),
  ],
  id: LOGIN,
  password: LOGIN,
  streamId: LOGIN,
  streamPassword: LOGIN,
  enabled: FLAG,
  label: LABEL,
  name: LABEL,
  tracks: wrong("an object with video and audio", true, "x", 1),
  video: TRACK,
  audio: TRACK,
  tls: wrong("an object with ca and fingerprint", true, "x"),
  ca: wrong("certificates in PEM form, at most 16384 characters", 5, "x", {}),
  fingerprint: wrong(
    "the SHA-256 of a certificate: 64 hexadecimal digits, with or without colons",
    ...[5, "ab", "g".repeat(64), "AB:".repeat(32)],
  ),
  timedData: FLAG,
  bufferPolicy: oneOf(["drop", "disconnect"], "wait", "DROP"),
  silentAudio: oneOf(["auto", "always", "never"], "no", "AUTO", true),
  delaySeconds: wrong("a whole number of seconds from 0 to 900", "10", -1, 901, 0.5, {}),
  hold: wrong("an object with seconds", 120, "120", true),
  seconds: wrong("a whole number of seconds from 0 to 1800", "120", -1, 1_801, 0.5, {}),
  backup: wrong("an object with enabled", true, "x", 1),
  recording: wrong("an object with enabled", true, "x", 1),
  latency: oneOf(["efficient", "low"], "fast", "LOW"),
  labels: wrong(
    "at most 10 texts of 1 to 30 characters, none of them a control character",
    ...["studio", {}, Array.from({ length: 11 }, (_, index) => `label ${index}`)],
  ),
  freeze: wrong("an object with mediaSeconds and videoSeconds", 5, "5", true),
  durationSeconds: wrong("a whole number of seconds from 10 to 3600", "60", 9, 3_601, 10.5, {}),
  platIds: wrong(
    "at most 100 numbers of platforms",
    "38",
    {},
    5,
    Array.from({ length: 101 }, () => 1),
  ),
  mediaSeconds: wrong("a whole number of seconds from 5 to 120", "5", 4, 121, 5.5, {}),
  videoSeconds: wrong("0, or a whole number of seconds from 5 to 600", "5", 1, -1, 601, 5.5, {}),
  ingestAuth: wrong("an object with id and password", 5, "x", true),
  srtPassphrase: [
    ...wrong(
      "10 to 79 English letters, digits and signs, without & ? # % + and blanks; empty for none",
      ...[
        5,
        true,
        "too-short",
        "x".repeat(80),
        "with a blank",
        "with&ampersand",
        "with%20per-cent",
        "한글로쓴긴암호입니다요",
      ],
    ),
    ...wrong("the text in full, not with asterisks", "**********", "q*****************"),
  ],
  alertOn: FLAG,
  alertOptions: wrong("an object of alertChangeStatus, alertVodUploadFail and alertReStreamFail", 5, "x", true),
  alertChangeStatus: FLAG,
  alertVodUploadFail: FLAG,
  alertReStreamFail: FLAG,
  which: oneOf(["main", "backup"], "MAIN", "second"),
  role: oneOf(["manager", "viewer"], "admin", "VIEWER"),
  fileName: wrong("a file name of 1 to 200 characters", 5, "a\nb", "x".repeat(201), {}),
  fileFingerprint: wrong("1 to 100 letters, digits, dots, underscores or hyphens", "", "a b", "x".repeat(101), 5, {}),
  bytes: wrong("a whole number of bytes from 1 to 1099511627776", "5", 0, -1, 0.5, 2 ** 40 + 1, {}),
  fileId: wrong("a file id", 5, {}, true),
  fileIds: wrong("a list of 1 to 500 file ids", "mf-0123456789ab", {}, []),
  pull: wrong("an object with url", true, "x", 1),
  url: [
    ...wrong(PULL_RULE, 5, {}, "ftp://host/", "file:///etc/passwd", "host"),
    ...wrong("an address without blanks and special characters", "rtmp://a b/c", "rtmp://a/\u00e9"),
    ...wrong("an address of at most 2048 characters", `rtmp://h/${"x".repeat(2_048)}`),
    ...wrong("an address with a port from 1 to 65535", "srt://host", "rtmp://host:70000/app"),
    ...wrong("an address with its password, not with asterisks", "rtmp://a:****@host/app"),
  ],
  loop: wrong("true or false", "true", 1),
  windows: wrong("an object with open and timeZone", 5, "x", true),
  open: wrong("a list of at most 20 windows with days, startAt and endAt", 5, "x", {}),
  scheduleName: wrong("text of at most 80 characters, none of them a control character", 5, "a\nb", "x".repeat(81), {}),
  timeZone: wrong("the name of a time zone, such as Asia/Seoul", 5, "Mars/Base", "+09:00", "x".repeat(65), {}),
  repeat: oneOf(["once", "daily", "weekly"], "yearly", "ONCE"),
  startAt: TIME_OF_DAY,
  endAt: TIME_OF_DAY,
  onDate: wrong("a date such as 2026-12-24", 5, "2026-02-30", "24.12.2026", "2026-1-1", {}),
  days: wrong(
    "a list of days: MON, TUE, WED, THU, FRI, SAT, SUN",
    "MON",
    {},
    [],
    ["MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN", "SUN"],
  ),
  endAfterSeconds: wrong("a whole number of seconds from 1 to 2678400", "60", 0, 2_678_401, 1.5, {}),
  catchUp: oneOf(["none", "join"], "now", "JOIN"),
  paused: FLAG,
  callbackEndpoint: CALLBACK,
  callbackUrl: CALLBACK,
  contactName: wrong(CONTACT_NAME, 5, {}, "x".repeat(41), "a\nb", " "),
  contactKind: oneOf(["slack", "discord", "telegram", "kakaowork", "email"], "fax", "SLACK"),
  webhookUrl: CALLBACK,
  apiUrl: CALLBACK,
  botToken: wrong("a bot's token, such as 123456:ABC-DEF…", 5, {}, "x", "123456:short", `1:${"a".repeat(200)}`),
  chatId: wrong("a chat's number, or @ and a channel's name", 5, {}, "x", "--1", "@a b"),
  mailTo: wrong(
    "1 to 20 mail addresses",
    ...["a@example.com", {}, [], Array.from({ length: 21 }, (_, index) => `a${index}@example.com`)],
  ),
  eventScope: oneOf(["problems", "all"], "some", "ALL"),
  channelIds: wrong(
    "at most 100 channel ids",
    ...["ls-1", {}, Array.from({ length: 101 }, (_, index) => `ls-${index}`)],
  ),
  language: oneOf(["en", "ko"], "de", "EN"),
  to: wrong("the incarnation of another server", "2", 0, -1, 1.5, 2 ** 53, true, {}),
};

/** The message for a required field that is absent or null, and for empty text where that differs. */
export const MISSING_RULES: Readonly<Record<string, { readonly absent: string; readonly empty: string }>> = {
  channelName: { absent: NAME, empty: NAME },
  planType: both("one of STANDARD, PROFESSIONAL, UNLIMITED"),
  restream: both("an array of platforms"),
  targetName: both(`one of ${PLATFORM_NAMES.join(", ")}`),
  rtmpUrl: {
    absent: "an rtmp://, rtmps:// or srt:// address",
    empty: "an address that begins with rtmp:// or rtmps://",
  },
  streamKey: { absent: "text of at most 512 characters", empty: "the platform's key" },
  fileName: both("a file name of 1 to 200 characters"),
  bytes: both("a whole number of bytes from 1 to 1099511627776"),
  fileId: both("a file id"),
  role: both("one of manager, viewer"),
  fileIds: both("a list of 1 to 500 file ids"),
  timeZone: both("the name of a time zone, such as Asia/Seoul"),
  repeat: both("one of once, daily, weekly"),
  startAt: both("a time of day such as 20:00 or 20:00:30"),
  contactName: both(CONTACT_NAME),
  contactKind: both("one of slack, discord, telegram, kakaowork, email"),
};

function both(rule: string) {
  return { absent: rule, empty: rule };
}

/** Required fields of each body, by the name of its call. */
export const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  createChannel: ["channelName", "planType", "restream", "targetName", "rtmpUrl", "streamKey"],
  updateChannel: [],
  renewStreamKey: [],
  startTestPattern: [],
  addPlatform: ["targetName", "rtmpUrl", "streamKey"],
  editPlatform: ["rtmpUrl", "streamKey"],
  createAccessKey: ["role"],
  createMediaFile: ["fileName", "bytes"],
  setSource: [],
  setSlate: ["fileId"],
  createSchedule: ["fileIds", "timeZone", "repeat", "startAt"],
  updateSchedule: [],
  setChannelCallback: [],
  setDefaultCallback: [],
  createContact: ["contactName", "contactKind"],
  updateContact: [],
  moveNodeChannels: [],
};

/** Fields whose value an error repeats: no others, since they may hold a secret. */
export const REPEATED: ReadonlySet<string> = new Set([
  ...["channelName", "planType", "envType", "targetName", "enabled", "label", "name", "role", "which"],
  ...[
    "seconds",
    "durationSeconds",
    "mediaSeconds",
    "videoSeconds",
    "bufferPolicy",
    "timedData",
    "silentAudio",
    "delaySeconds",
  ],
  ...["alertOn", "alertChangeStatus", "alertVodUploadFail", "alertReStreamFail"],
  ...["pageNo", "pageSizeNo", "channelStatus", "onAir", "anyName"],
]);

const PAGE_NO = "a whole number from 1 to 1000000000";
const PAGE_SIZE = "a whole number from 1 to 100";
const STATUSES = "CREATING, READY, PUBLISHING, PUBLISH, DELETED, BLOCK, FORCE_BLOCK, FORCE_DELETED";

type WrongQuery = { readonly query: string; readonly given: unknown; readonly rule: string; readonly isType: boolean };

function badType(name: string, rule: string, text: string): WrongQuery[] {
  return [
    { query: `${name}=${text}`, given: text, rule, isType: true },
    { query: `${name}=1&${name}=2`, given: ["1", "2"], rule, isType: true },
  ];
}

function outside(name: string, rule: string, ...texts: readonly string[]): WrongQuery[] {
  return texts.map((text) => ({ query: `${name}=${text}`, given: text, rule, isType: false }));
}

const twice = (name: string, rule: string): WrongQuery[] => [
  { query: `${name}=a&${name}=b`, given: ["a", "b"], rule, isType: true },
];

/** For every query parameter, by its name, or by that of its call and its own. A number outside its bounds was read as one: it is repeated as a number. */
const MOMENT = "milliseconds since 1970";
const STEP = "a whole number of seconds from 1 to 86400";

export const WRONG_QUERY_VALUES: Readonly<Record<string, readonly WrongQuery[]>> = {
  pageNo: [...badType("pageNo", PAGE_NO, "x"), ...numbers(outside("pageNo", PAGE_NO, "0", "-1", "1000000001"))],
  pageSizeNo: [...badType("pageSizeNo", PAGE_SIZE, "1.5"), ...numbers(outside("pageSizeNo", PAGE_SIZE, "0", "101"))],
  channelStatus: outside("channelStatus", `one of ${STATUSES}`, "ON", "ready"),
  channelId: twice("channelId", "one channel id"),
  channelName: [
    ...twice("channelName", "one part of a name"),
    { query: "channelName=%00", given: "\0", rule: "one part of a name", isType: false },
  ],
  fromTime: [...badType("fromTime", MOMENT, "x"), ...badType("fromTime", MOMENT, "-1")],
  toTime: badType("toTime", MOMENT, "1".repeat(16)),
  stepSeconds: [...badType("stepSeconds", STEP, "1.5"), ...numbers(outside("stepSeconds", STEP, "0", "86401"))],
  "listAudit.format": outside("format", "json or csv", "html", "CSV"),
  actor: [
    ...twice("actor", "an access key, or dashboard"),
    ...outside("actor", "an access key, or dashboard", "x".repeat(129)),
  ],
  action: outside("action", "an action of the audit", "createchannel", "getChannel"),
  format: outside("format", "json, csv or html", "pdf", "JSON"),
  lang: outside("lang", "en or ko", "de", "EN"),
  timeZone: outside("timeZone", "the name of a time zone, such as Asia/Seoul", "Mars", "", "x".repeat(65)),
  onAir: outside("onAir", "one of true, false", "yes", "1"),
  anyName: outside("anyName", "one of true, false", "yes", "1"),
};

function numbers(rows: readonly WrongQuery[]): WrongQuery[] {
  return rows.map((row) => ({ ...row, given: Number(row.given) }));
}

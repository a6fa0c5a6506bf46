import { z } from "zod";
import { isRtmpAddress, tidyKey } from "../../base/pasted-text.ts";
import { SILENT_AUDIO } from "../../thread-protocol/channel-spec.ts";
import { DELAY_SECONDS_MAX } from "../../thread-protocol/delays/delay.ts";
import { CHANNEL_STATUSES } from "../channel-status.ts";
import { LABEL_CHARACTERS_MAX, LABELS_MAX, tidyLabels } from "../input/channel-labels.ts";
import { CHANNEL_NAME_CHARACTERS_MAX, channelNameProblem, tidyChannelName } from "../input/channel-name.ts";
import { hasControlCharacter, isAtMost, isName, isStorable, WHOLE_TEXT_RULE } from "../input/text-rules.ts";
import { isMaskedPassword, isMaskedStreamKey } from "../masks.ts";
import { PLATFORM_NAMES } from "../platform-names.ts";
import { rtmpUrlProblem } from "../rtmp-url.ts";
import { targetTrust } from "../target-trust.ts";
import { platformWindows } from "./schedule-schemas.ts";

/** The longest values, in characters. */
const LONGEST = { rtmpUrl: 1024, streamKey: 512, login: 128, label: 40 } as const;

/** No plan allows more platforms on a channel; a longer `restream` is rejected before its elements are read. */
export const PLATFORMS_MAX = 100;

/** English letters, digits, `_`, Hangul syllables and jamo (all four blocks: macOS sends them decomposed). */
const CHANNEL_NAME_FORM =
  /^[A-Za-z0-9_\u{AC00}-\u{D7A3}\u{1100}-\u{11FF}\u{3130}-\u{318F}\u{A960}-\u{A97F}\u{D7B0}-\u{D7FF}]{3,20}$/u;
const CHANNEL_NAME_RULE = "3 to 20 Korean or English letters, digits or _";

/** `pageNo` and `pageSizeNo`: the limits of the list call. */
const PAGE_NO_MAX = 1_000_000_000;
const PAGE_SIZE_MAX = 100;
const PAGE_SIZE_DEFAULT = 20;

function secretText(characters: number) {
  const rule = `text of at most ${characters} characters`;
  return z
    .string({ error: rule })
    .refine((text) => isAtMost(text, characters) && isStorable(text), { error: rule, abort: true });
}

/** A text that answers mask: the mask itself is no value. */
const whole = { error: WHOLE_TEXT_RULE };
const isWhole = (text: string) => !isMaskedPassword(text);

/** Java clients send `null` for fields that they did not set: for optional fields it means absent. */
function optional<Schema extends z.ZodType>(schema: Schema) {
  return schema.nullish();
}

function oneOf<const Values extends readonly [string, ...string[]]>(values: Values) {
  return z.enum(values, { error: `one of ${values.join(", ")}` });
}

const flag = z.boolean({ error: "true or false" });

const label = z
  .string({ error: `text of at most ${LONGEST.label} characters` })
  .refine((text) => isAtMost(text, LONGEST.label) && text.isWellFormed() && !hasControlCharacter(text), {
    error: `at most ${LONGEST.label} characters, no control characters`,
  });

const rtmpUrl = z.string({ error: "an rtmp://, rtmps:// or srt:// address" }).check((context) => {
  const problem = isAtMost(context.value, LONGEST.rtmpUrl)
    ? rtmpUrlProblem(context.value)
    : `an address of at most ${LONGEST.rtmpUrl} characters`;
  if (problem !== undefined) {
    context.issues.push({ code: "custom", message: problem, input: context.value });
  }
});

const streamKey = secretText(LONGEST.streamKey)
  .refine((text) => text !== "", { error: "the platform's key", abort: true })
  .refine((text) => tidyKey(text, "").text !== "", {
    error: "the platform's key; without blanks, prefixes and invisible characters nothing is left of this one",
  })
  .refine((text) => !isRtmpAddress(text), { error: "the platform's key; this is its address, with no key behind it" })
  .refine((text) => !isMaskedStreamKey(text), whole);

/** In a change also as answers show the present one. */
const changedPassword = secretText(LONGEST.login);
const login = changedPassword.refine(isWhole, whole);

/** A track id is one byte on the wire. */
const TRACK_RULE = "a track's number, 0 to 255";
const trackId = z
  .number({ error: TRACK_RULE })
  .refine((id) => Number.isInteger(id) && id >= 0 && id <= 255, { error: TRACK_RULE });
const tracks = z.object(
  { video: optional(trackId), audio: optional(trackId) },
  { error: "an object with video and audio" },
);
const bufferPolicy = oneOf(["drop", "disconnect"]);
const silentAudio = oneOf(SILENT_AUDIO);
const DELAY_RULE = `a whole number of seconds from 0 to ${DELAY_SECONDS_MAX}`;
const delaySeconds = z
  .number({ error: DELAY_RULE })
  .refine((value) => Number.isInteger(value) && value >= 0 && value <= DELAY_SECONDS_MAX, { error: DELAY_RULE });

const channelName = z.string({ error: CHANNEL_NAME_RULE }).regex(CHANNEL_NAME_FORM, { error: CHANNEL_NAME_RULE });
/** The dashboard's own calls accept any text: names are for people. */
const FREE_NAME_RULE = `text of 1 to ${CHANNEL_NAME_CHARACTERS_MAX} characters, none of them a control character`;
const freeName = z
  .string({ error: FREE_NAME_RULE })
  .transform(tidyChannelName)
  .refine((name) => channelNameProblem(name) === undefined, { error: FREE_NAME_RULE });
const planType = oneOf(["STANDARD", "PROFESSIONAL", "UNLIMITED"]);
const envType = oneOf(["REAL", "DEV", "STAGE"]);

const LABELS_RULE = `at most ${LABELS_MAX} texts of 1 to ${LABEL_CHARACTERS_MAX} characters, none of them a control character`;
const labels = z
  .array(
    z.string({ error: LABELS_RULE }).refine((text) => isName(text.trim(), LABEL_CHARACTERS_MAX), {
      error: LABELS_RULE,
    }),
    { error: LABELS_RULE },
  )
  .max(LABELS_MAX, { error: LABELS_RULE, abort: true })
  .transform(tidyLabels);

/** The longest `hold.seconds`. */
const HOLD_SECONDS_MAX = 1_800;
const HOLD_RULE = `a whole number of seconds from 0 to ${HOLD_SECONDS_MAX}`;
const holdSeconds = z
  .number({ error: HOLD_RULE })
  .refine((seconds) => Number.isInteger(seconds) && seconds >= 0 && seconds <= HOLD_SECONDS_MAX, { error: HOLD_RULE });

const FREEZE_MEDIA_RULE = "a whole number of seconds from 5 to 120";
const mediaSeconds = z
  .number({ error: FREEZE_MEDIA_RULE })
  .refine((seconds) => Number.isInteger(seconds) && seconds >= 5 && seconds <= 120, { error: FREEZE_MEDIA_RULE });

const FREEZE_VIDEO_RULE = "0, or a whole number of seconds from 5 to 600";
const videoSeconds = z
  .number({ error: FREEZE_VIDEO_RULE })
  .refine((seconds) => seconds === 0 || (Number.isInteger(seconds) && seconds >= 5 && seconds <= 600), {
    error: FREEZE_VIDEO_RULE,
  });

const ingestSettings = {
  hold: optional(z.object({ seconds: optional(holdSeconds) }, { error: "an object with seconds" })),
  backup: optional(z.object({ enabled: optional(flag) }, { error: "an object with enabled" })),
  recording: optional(z.object({ enabled: optional(flag) }, { error: "an object with enabled" })),
  latency: optional(oneOf(["efficient", "low"])),
  freeze: optional(
    z.object(
      { mediaSeconds: optional(mediaSeconds), videoSeconds: optional(videoSeconds) },
      { error: "an object with mediaSeconds and videoSeconds" },
    ),
  ),
};

/** It is part of a query, unencoded: it must not contain what ends a value there, or a user name in a URL. */
const ingestUser = login.refine((text) => !/[\s&?#=/:@]/.test(text) && !hasControlCharacter(text), {
  error: "a name without blanks and & ? # = / : @",
});

/** It is part of a query, unencoded, so it must not contain what ends or changes a value there. */
const SRT_PASSPHRASE_RULE = "10 to 79 English letters, digits and signs, without & ? # % + and blanks; empty for none";
const srtPassphrase = z
  .string({ error: SRT_PASSPHRASE_RULE })
  .regex(/^([!"$'-*,-<=>@-~]{10,79})?$/, { error: SRT_PASSPHRASE_RULE, abort: true })
  .refine(isWhole, whole);

function comingWithChannels(password: typeof login) {
  const error = "an object with id and password";
  return {
    ingestAuth: optional(z.object({ id: optional(ingestUser), password: optional(password) }, { error })),
    srtPassphrase: optional(srtPassphrase),
  };
}

const alerts = {
  alertOn: optional(flag),
  alertOptions: optional(
    z.object(
      {
        alertChangeStatus: optional(flag),
        alertVodUploadFail: optional(flag),
        alertReStreamFail: optional(flag),
      },
      { error: "an object of alertChangeStatus, alertVodUploadFail and alertReStreamFail" },
    ),
  ),
};

const platform = z.object(
  {
    targetName: oneOf(PLATFORM_NAMES),
    rtmpUrl,
    streamKey,
    id: optional(login),
    password: optional(login),
    streamId: optional(login),
    streamPassword: optional(login),
    enabled: optional(flag),
    label: optional(label),
    bufferPolicy: optional(bufferPolicy),
    tracks: optional(tracks),
    timedData: optional(flag),
    silentAudio: optional(silentAudio),
    delaySeconds: optional(delaySeconds),
    windows: optional(platformWindows),
    tls: optional(targetTrust),
  },
  { error: "an object with targetName, rtmpUrl and streamKey" },
);

/**
 * Body of call 1. Wrong fields are reported in the order of the keys. Unknown fields are ignored, as in the original
 * service.
 */
export const createChannelRequest = z.object({
  channelName,
  planType,
  envType: optional(envType),
  labels: optional(labels),
  restream: z
    .array(platform, { error: "an array of platforms" })
    .min(1, { error: "at least one platform" })
    .max(PLATFORMS_MAX),
  ...ingestSettings,
  ...comingWithChannels(login),
  ...alerts,
});

/** Body of call 13: absent fields stay as they are. */
export const updateChannelRequest = z.object({
  channelName: optional(channelName),
  planType: optional(planType),
  envType: optional(envType),
  labels: optional(labels),
  ...ingestSettings,
  ...comingWithChannels(changedPassword),
  ...alerts,
});

/** Query of calls 1 and 13: `anyName=true` accepts the names that the dashboard does. */
export const channelNameQuery = z.object({ anyName: oneOf(["true", "false"]).optional() });

/** The same bodies from the dashboard, and with `anyName=true`: a name is any text. */
export const createChannelByPerson = createChannelRequest.extend({ channelName: freeName });
export const updateChannelByPerson = updateChannelRequest.extend({ channelName: optional(freeName) });

export type UpdateChannelRequest = z.output<typeof updateChannelRequest>;

/** Body of call 15. */
export const streamKeyRequest = z.object({ which: optional(oneOf(["main", "backup"])) });

const NODE_NUMBER_RULE = "the incarnation of another server";
/** Body of the call that moves a server's broadcasts. */
export const moveNodeRequest = z.object({
  to: optional(z.int({ error: NODE_NUMBER_RULE }).min(1, { error: NODE_NUMBER_RULE })),
});

/** How long a test pattern runs, in seconds. */
const TEST_PATTERN_RULE = "a whole number of seconds from 10 to 3600";
export const TEST_PATTERN_SECONDS_DEFAULT = 300;
const PLAT_IDS_RULE = `at most ${PLATFORMS_MAX} numbers of platforms`;

/** Body of the call that starts the test pattern. */
export const testPatternRequest = z.object({
  durationSeconds: optional(
    z
      .number({ error: TEST_PATTERN_RULE })
      .refine((seconds) => Number.isInteger(seconds) && seconds >= 10 && seconds <= 3_600, {
        error: TEST_PATTERN_RULE,
      }),
  ),
  platIds: optional(
    z
      .array(z.int({ error: PLAT_IDS_RULE }).min(1, { error: PLAT_IDS_RULE }), { error: PLAT_IDS_RULE })
      .max(PLATFORMS_MAX, { error: PLAT_IDS_RULE }),
  ),
});

/** Body of call 16: one element of call 1's `restream`. */
export const addPlatformRequest = platform;

/** One element of call 1's `restream`. */
export type PlatformRequest = z.output<typeof platform>;

/** Body of call 6. `targetName` cannot change and is ignored like any unknown field. */
export const editPlatformRequest = z.object({
  rtmpUrl,
  streamKey,
  streamId: optional(login),
  streamPassword: optional(changedPassword),
  id: optional(login),
  password: optional(changedPassword),
  enabled: optional(flag),
  label: optional(label),
  bufferPolicy: optional(bufferPolicy),
  tracks: optional(tracks),
  timedData: optional(flag),
  silentAudio: optional(silentAudio),
  delaySeconds: optional(delaySeconds),
  windows: optional(platformWindows),
  tls: optional(targetTrust),
});

export type EditPlatformRequest = z.output<typeof editPlatformRequest>;

/** Query of call 6: `onAir=true` applies the change while the channel is on air. */
export const editPlatformQuery = z.object({ onAir: oneOf(["true", "false"]).optional() });

/** Body of a new access key. */
export const createAccessKeyRequest = z.object({
  role: oneOf(["manager", "viewer"]),
  name: optional(label),
});

function wholeNumber(max: number) {
  const rule = `a whole number from 1 to ${max}`;
  return z
    .string({ error: rule })
    .regex(/^-?\d+$/, { error: rule })
    .transform((text) => Math.min(Number(text), Number.MAX_SAFE_INTEGER))
    .pipe(z.number().min(1, { error: rule }).max(max, { error: rule }));
}

/** The query fields of every list with pages. */
export const pageFields = {
  pageNo: wholeNumber(PAGE_NO_MAX).default(1),
  pageSizeNo: wholeNumber(PAGE_SIZE_MAX).default(PAGE_SIZE_DEFAULT),
};

/** A condition of a list. Programs send it empty where they have none: then it is absent. */
export function condition<Schema extends z.ZodType>(schema: Schema) {
  // Its last part is what the OpenAPI document shows.
  return z.preprocess((given) => (given === "" ? undefined : given), schema.optional()).optional();
}

/** A list of one channel. */
export const ofChannel = condition(z.string({ error: "one channel id" }));

/** Query of call 2. Unknown parameters are ignored: one real client adds two of its own to every GET. */
export const listChannelsQuery = z.object({
  ...pageFields,
  channelStatus: condition(oneOf(CHANNEL_STATUSES)),
  channelId: ofChannel,
  channelName: z.string({ error: "one part of a name" }).refine(isStorable, { error: "one part of a name" }).optional(),
});

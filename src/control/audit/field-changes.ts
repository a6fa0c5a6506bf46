import { AUDIT_SECRET } from "../../api-contract/audit/audit-actions.ts";
import { maskAddress } from "../../api-contract/masks.ts";
import { timeText } from "../../base/calendar/time-text.ts";
import type { Channel, ChannelRecord, Target } from "../channels/channel.ts";
import type { TargetWindows } from "../channels/target-windows.ts";
import type { AuditValue, FieldChange } from "./audit.ts";

/** Characters of a value that a record keeps. */
const VALUE_CHARACTERS_MAX = 200;
/** Changed fields that a record keeps: a channel with a hundred platforms has more. */
const CHANGES_MAX = 400;

/** A setting: what a record shows, and what tells one value from another. The latter may be secret and is never kept. */
type Setting = { readonly shown: AuditValue; readonly actual: string };
/** Settings by the API's name of their field. */
export type Settings = ReadonlyMap<string, Setting>;

type Describe<Value> = (value: Value) => readonly (readonly [field: string, setting: Setting])[];
/** One entry for each property, so that a new one does not compile until it is here. `[]`: no setting. */
type Describers<Of> = { readonly [Name in keyof Of]-?: Describe<NonNullable<Of[Name]>> | [] };

const text = (value: AuditValue): AuditValue =>
  typeof value === "string" && value.length > VALUE_CHARACTERS_MAX ? `${value.slice(0, VALUE_CHARACTERS_MAX)}…` : value;

const shown = (value: AuditValue): Setting => ({ shown: text(value), actual: JSON.stringify(value) });
const plain =
  (field: string): Describe<AuditValue> =>
  (value) => [[field, shown(value)]];
const secret =
  (field: string): Describe<string> =>
  (value) => [[field, { shown: AUDIT_SECRET, actual: value }]];
/** What follows an address's host may be a secret. */
const address =
  (field: string): Describe<string> =>
  (value) => [[field, { shown: text(maskAddress(value)), actual: value }]];

const CHANNEL: Describers<ChannelRecord> = {
  name: plain("channelName"),
  planType: plain("planType"),
  envType: plain("envType"),
  labels: plain("labels"),
  alerts: ({ isOn, ofChannelStatus, ofVodUploads, ofTargetFailures }) => [
    ["alertOn", shown(isOn)],
    ["alertChangeStatus", shown(ofChannelStatus)],
    ["alertVodUploadFail", shown(ofVodUploads)],
    ["alertReStreamFail", shown(ofTargetFailures)],
  ],
  holdSeconds: plain("hold.seconds"),
  latency: plain("latency"),
  freeze: ({ mediaSeconds, videoSeconds }) => [
    ["freeze.mediaSeconds", shown(mediaSeconds)],
    ["freeze.videoSeconds", shown(videoSeconds)],
  ],
  isRecorded: plain("recording.enabled"),
  ingestLogin: ({ id, password }) => [...secret("ingestAuth.id")(id), ...secret("ingestAuth.password")(password)],
  srtPassphrase: secret("srtPassphrase"),
  state: (state) => [["channelStatus", shown({ live: "READY", blocked: "BLOCK", deleted: "DELETED" }[state])]],
  streamKey: secret("streamKey"),
  backupStreamKey: secret("backupStreamKey"),
  callbackUrl: address("callbackEndpoint"),
  channelId: [],
  instanceNo: [],
  createdTime: [],
  revision: [],
  publishMs: [],
  recentPublishStartTime: [],
  targetCount: [],
};

const TARGET: Describers<Target> = {
  targetName: plain("targetName"),
  url: address("rtmpUrl"),
  streamKey: secret("streamKey"),
  loginId: secret("id"),
  loginPassword: secret("password"),
  label: plain("label"),
  isEnabled: plain("enabled"),
  bufferPolicy: plain("bufferPolicy"),
  tls: ({ ca, fingerprint }) => [
    ...(ca === undefined ? [] : plain("tls.ca")(ca)),
    ...(fingerprint === undefined ? [] : plain("tls.fingerprint")(fingerprint)),
  ],
  tracks: ({ video, audio }) => [
    ["tracks.video", shown(video)],
    ["tracks.audio", shown(audio)],
  ],
  hasTimedData: plain("timedData"),
  silentAudio: plain("silentAudio"),
  delaySeconds: plain("delaySeconds"),
  windows: (windows) => plain("windows")(windowsText(windows)),
  isOutsideWindows: [],
  openUntil: [],
  targetId: [],
  totals: [],
};

/** As a person writes it: `MON FRI 20:00-22:00 (Asia/Seoul)`. */
function windowsText({ timeZone, list }: TargetWindows): string {
  const windows = list.map(({ days, fromSeconds, toSeconds }) =>
    [...days, `${timeText(fromSeconds)}-${timeText(toSeconds)}`].join(" "),
  );
  return `${windows.join(", ")} (${timeZone})`;
}

function described<Of extends object>(describers: Describers<Of>, of: Of): Settings {
  const settings = new Map<string, Setting>();
  for (const name of Object.keys(describers) as (keyof Of)[]) {
    const describe = describers[name];
    const value = of[name];
    if (value == null || typeof describe !== "function") continue;
    for (const [field, setting] of describe(value)) settings.set(field, setting);
  }
  return settings;
}

/** A channel's settings and those of its targets, as `platforms[38].rtmpUrl`. */
function settingsOf(channel: Channel): Settings {
  const { targets, ...record } = channel;
  return new Map([
    ...described(CHANNEL, record),
    ...targets.flatMap((target) =>
      [...described(TARGET, target)].map(
        ([field, setting]) => [`platforms[${target.targetId}].${field}`, setting] as const,
      ),
    ),
  ]);
}

/** Returns what differs between two sets of settings, in the order of their fields. */
export function changesBetween(before: Settings, after: Settings): readonly FieldChange[] {
  const fields = [...new Set([...after.keys(), ...before.keys()])];
  return fields
    .filter((field) => before.get(field)?.actual !== after.get(field)?.actual)
    .slice(0, CHANGES_MAX)
    .map((field) => {
      const [was, is] = [before.get(field), after.get(field)];
      return {
        field,
        ...(was === undefined ? {} : { before: was.shown }),
        ...(is === undefined ? {} : { after: is.shown }),
      };
    });
}

const NONE: Settings = new Map();

/** What differs between a channel before and after a change; undefined where it was not, or is no longer, there. */
export function channelChanges(before: Channel | undefined, after: Channel | undefined): readonly FieldChange[] {
  return changesBetween(
    before === undefined ? NONE : settingsOf(before),
    after === undefined ? NONE : settingsOf(after),
  );
}

/** Settings without secrets, by field. */
export function plainSettings(values: Readonly<Record<string, AuditValue | undefined>>): Settings {
  return new Map(Object.entries(values).flatMap(([field, value]) => (value === undefined ? [] : plain(field)(value))));
}

/** An address whose path may be a secret, and secrets, by field. */
export function hiddenSettings(
  addresses: Readonly<Record<string, string | undefined>>,
  secrets: Readonly<Record<string, string | undefined>> = {},
): Settings {
  return new Map([
    ...Object.entries(addresses).flatMap(([field, url]) => (url === undefined ? [] : address(field)(url))),
    ...Object.entries(secrets).flatMap(([field, value]) => (value === undefined ? [] : secret(field)(value))),
  ]);
}

import { maskPassword } from "../../../api-contract/masks.ts";
import { ConfigError } from "../../../app/config/config-error.ts";
import type { Channel } from "../channels.ts";
import type { Platform } from "../platforms.ts";
import { changesOf, type FieldChange } from "./apply-changes.ts";
import type { WantedChannel, WantedPlatform } from "./apply-file.ts";
import { refuseMaskedPull } from "./apply-pull.ts";

/** The fields that a file of channels may set, beside names; `fanfare export` writes the same. */
export const CHANNEL_FIELDS = [
  "planType",
  "envType",
  "labels",
  "hold",
  "backup",
  "latency",
  "freeze",
  "ingestAuth",
  "srtPassphrase",
  "alertOn",
  "alertOptions",
  "recording",
] as const;
export const PLATFORM_FIELDS = [
  "rtmpUrl",
  "streamKey",
  "id",
  "password",
  "enabled",
  "label",
  "bufferPolicy",
  "tracks",
  "timedData",
  "silentAudio",
  "delaySeconds",
  "windows",
  "tls",
] as const;

/** What a server leaves out of a platform. */
const PLATFORM_DEFAULTS = { timedData: true, silentAudio: "auto", delaySeconds: 0 } as const;

/** What changes, and the fields of the call that changes it. */
type Change = { readonly changes: readonly FieldChange[]; readonly fields: Readonly<Record<string, unknown>> };

/**
 * What a file wants otherwise of a channel than it is. Passwords are compared as servers show them. Throws ConfigError
 * where the file has one as another server shows it.
 */
export function channelChange(wanted: WantedChannel, present: Channel): Change {
  const { ingestAuth, alertOptions, ...others } = wanted;
  const { id, password } = ingestAuth ?? {};
  const place = `channel ${wanted.channelName}`;
  // A server shows the options only where alerts are on.
  const hasAlerts = wanted.alertOn ?? present.alertOn;
  const comparable = {
    ...others,
    ...(hasAlerts ? { alertOptions } : {}),
    // An empty id removes the login.
    ingestAuth:
      id === "" ? { id } : { id, password: shown(place, "ingestAuth.password", password, present.ingestAuth) },
  };
  return changed(CHANNEL_FIELDS, comparable, present, wanted);
}

/** The same of a platform. `channelName`: its channel. */
export function platformChange(channelName: string, wanted: WantedPlatform, present: Platform): Change {
  const { windows, tracks } = wanted;
  const id = wanted.id ?? wanted.streamId;
  const password = wanted.password ?? wanted.streamPassword;
  const comparable = {
    ...wanted,
    id,
    password: shown(placeOf(channelName, wanted), "password", password, present),
    windows: windows?.open.length === 0 && present.windows === undefined ? undefined : windows,
    tracks: tracks == null ? undefined : wholeTracks(tracks, present.tracks !== undefined),
  };
  return changed(PLATFORM_FIELDS, comparable, { ...PLATFORM_DEFAULTS, ...present }, { ...wanted, id, password });
}

/**
 * Throws ConfigError where a channel cannot be created: it has no platform, or a password as another server shows it.
 */
export function refuseToCreate({ channelName, ingestAuth, restream, pull }: WantedChannel): void {
  if (restream.length === 0)
    throw new ConfigError(`channel ${channelName}: a new channel needs at least one platform.`);
  shown(`channel ${channelName}`, "ingestAuth.password", ingestAuth?.password, undefined);
  if (pull != null) refuseMaskedPull(channelName, pull.url);
  for (const platform of restream) refuseMaskedPlatform(channelName, platform);
}

/** The same for a platform. */
export function refuseMaskedPlatform(channelName: string, wanted: WantedPlatform): void {
  shown(placeOf(channelName, wanted), "password", wanted.password ?? wanted.streamPassword, undefined);
}

function changed(
  names: readonly string[],
  comparable: object,
  present: object,
  wanted: Readonly<Record<string, unknown>>,
): Change {
  const changes = changesOf(names, comparable, present);
  return { changes, fields: Object.fromEntries(changes.map(({ field }) => [field, wanted[field]])) };
}

/** A password as a server shows it. */
function shown(
  place: string,
  field: string,
  password: string | null | undefined,
  present: { readonly password?: string | undefined } | undefined,
): string | undefined {
  if (password == null || password === "" || password === present?.password) return password ?? undefined;
  const mask = maskPassword(password);
  if (mask === password) throw new ConfigError(`${place}: ${field} must be written in full, not as ${password}.`);
  return mask;
}

/** As a server keeps them: the default track for a kind that is left out; without both all tracks. */
function wholeTracks({ video, audio }: NonNullable<WantedPlatform["tracks"]>, hasChoice: boolean): object | undefined {
  if (video != null || audio != null) return { video: video ?? 0, audio: audio ?? 0 };
  return hasChoice ? { all: true } : undefined;
}

function placeOf(channelName: string, { targetName, label }: WantedPlatform): string {
  return `platform ${label == null || label === "" ? targetName : `${targetName} (${label})`} of ${channelName}`;
}

/** How a file's platform is known among those of the server that have its name: the surest sign first. */
const SIGNS: readonly ((wanted: WantedPlatform, platform: Platform) => boolean)[] = [
  ({ label }, platform) => label != null && label !== "" && label === platform.label,
  (wanted, platform) => mayBe(wanted, platform) && isAt(wanted, platform) && wanted.streamKey === platform.streamKey,
  (wanted, platform) => mayBe(wanted, platform) && isAt(wanted, platform),
  mayBe,
];

function isAt({ rtmpUrl }: WantedPlatform, platform: Platform): boolean {
  return rtmpUrl === platform.rtmpUrl;
}

/** Two different labels are two platforms. */
function mayBe({ label }: WantedPlatform, platform: Platform): boolean {
  return label == null || platform.label === undefined || label === platform.label;
}

/** Which platform of the server each of a file's is, and which are none of the file's. */
export function pairedPlatforms(
  wanted: readonly WantedPlatform[],
  present: readonly Platform[],
): { readonly pairs: ReadonlyMap<WantedPlatform, Platform>; readonly left: readonly Platform[] } {
  const left = [...present];
  const pairs = new Map<WantedPlatform, Platform>();
  for (const isIt of SIGNS) {
    for (const one of wanted) {
      if (pairs.has(one)) continue;
      const index = left.findIndex((platform) => platform.targetName === one.targetName && isIt(one, platform));
      const [platform] = index < 0 ? [] : left.splice(index, 1);
      if (platform !== undefined) pairs.set(one, platform);
    }
  }
  return { pairs, left };
}

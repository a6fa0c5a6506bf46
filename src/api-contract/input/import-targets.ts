import type { PlatformName } from "../platform-names.ts";
import { type InputNote, tidyRtmpUrl, tidyStreamKey } from "./input-notes.ts";

/**
 * One platform found in another program's settings, in the API's form; the key may be missing where that program hides
 * it.
 */
export type ImportedTarget = {
  readonly targetName: PlatformName;
  readonly rtmpUrl: string;
  readonly streamKey: string;
  readonly label?: string;
  readonly id?: string;
  readonly password?: string;
  /** What was removed from its address and key. */
  readonly notes?: readonly InputNote[];
};

/** An entry that names a platform but cannot become one here. */
type SkippedTarget = {
  /** Its name there, or the line; cut if it is long. Never its key. */
  readonly what: string;
  /**
   * `not-rtmp`: another kind of address; `no-address`: none; `too-many`: more than a channel may have; `pull`:
   * nginx-rtmp fetches that stream, and Fanfare only sends.
   */
  readonly reason: "not-rtmp" | "no-address" | "too-many" | "pull";
};

export type Import = {
  readonly targets: readonly ImportedTarget[];
  readonly skipped: readonly SkippedTarget[];
  /** Why nothing could be read at all; for broken JSON with line and column, where the engine reports them. */
  readonly problem?:
    | { readonly kind: "too-long" | "nothing" }
    | { readonly kind: "broken-json"; readonly line?: number; readonly column?: number };
};

/** A longer text is not a settings file, in characters. */
const TEXT_CHARACTERS_MAX = 1_000_000;
/** As many as a channel may have. */
const TARGETS_MAX = 100;
/** A skipped entry's name is cut to this length, in characters. */
const WHAT_CHARACTERS_MAX = 60;
/** OBS stores "auto" where it chooses a service's server by itself; this one finds the nearest. */
const TWITCH_SERVER = "rtmps://ingest.global-contribute.live-video.net:443/app";
/** The longest label that the API accepts, in characters. */
const LABEL_CHARACTERS_MAX = 40;

/** Kinds of platforms by the ends of their host names. */
const HOSTS: readonly (readonly [suffix: string, targetName: PlatformName])[] = [
  ["youtube.com", "YOUTUBE"],
  ["twitch.tv", "TWITCH"],
  ["global-contribute.live-video.net", "TWITCH"],
  ["contribute.live-video.net", "KICK"],
  ["facebook.com", "FACEBOOK"],
  ["chzzk.naver.com", "CHZZK"],
  ["afreecatv.com", "SOOP"],
  ["sooplive.co.kr", "SOOP"],
  ["vimeo.com", "VIMEO"],
  ["trovo.live", "TROVO"],
  ["pscp.tv", "X"],
  ["instagram.com", "INSTAGRAM"],
];

function targetNameOf(url: string): PlatformName {
  const host = /^rtmps?:\/\/([^/:]+)/i.exec(url)?.[1]?.toLowerCase() ?? "";
  return HOSTS.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`))?.[1] ?? "CUSTOM";
}

type Found = ImportedTarget | SkippedTarget;

const cut = (text: string, characters: number): string => [...text].slice(0, characters).join("");

/** `what` names the entry where it cannot become a platform. */
function target(
  givenUrl: string,
  givenKey: string,
  more: Omit<Partial<ImportedTarget>, "targetName">,
  what: string,
): Found {
  const { text: url, notes: urlNotes } = tidyRtmpUrl(givenUrl);
  if (!/^rtmps?:\/\/[^\s/]+/i.test(url)) {
    return { what: cut(what, WHAT_CHARACTERS_MAX), reason: url === "" ? "no-address" : "not-rtmp" };
  }
  const { text: key, notes: keyNotes } = tidyStreamKey(givenKey, url);
  const notes = [...urlNotes, ...keyNotes];
  const label = cut(more.label ?? "", LABEL_CHARACTERS_MAX);
  return {
    targetName: targetNameOf(url),
    rtmpUrl: url,
    streamKey: key,
    ...(label === "" ? {} : { label }),
    ...(more.id === undefined || more.id === "" ? {} : { id: more.id }),
    ...(more.password === undefined || more.password === "" ? {} : { password: more.password }),
    ...(notes.length === 0 ? {} : { notes }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === "string" ? value.trim() : "";
};

/** Server and key as OBS stores them, both in a service's settings and in obs-multi-rtmp's `service-param`. */
function fromService(service: Fields, label: string, place: string): Found {
  const login =
    service["use_auth"] === true ? { id: textOf(service, "username"), password: textOf(service, "password") } : {};
  const server = textOf(service, "server");
  const isTwitch = server === "auto" && textOf(service, "service") === "Twitch";
  return target(
    isTwitch ? TWITCH_SERVER : server,
    textOf(service, "key"),
    { label, ...login },
    label || server || place,
  );
}

/** `place` says which of several entries it is, for one without a name. */
function fromJson(value: unknown, place: string): readonly Found[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => fromJson(item, `#${index + 1}`));
  if (!isFields(value)) return [];
  const { targets, settings, "service-param": service } = value;
  // obs-multi-rtmp stores a list of targets, OBS's service.json one service.
  if (Array.isArray(targets)) return fromJson(targets, place);
  if (isFields(service)) return [fromService(service, textOf(value, "name"), place)];
  if (isFields(settings)) return [fromService(settings, textOf(settings, "service"), place)];
  if (!("rtmp-path" in value)) return [];
  // obs-multi-rtmp before 0.3.
  const more = { label: textOf(value, "name"), id: textOf(value, "rtmp-user"), password: textOf(value, "rtmp-pass") };
  return [target(textOf(value, "rtmp-path"), textOf(value, "rtmp-key"), more, more.label || place)];
}

/**
 * One `push` or `pull` line of nginx-rtmp. A `pull` is skipped. The key of a `push` is its `playpath`, else what
 * follows the application in the address.
 */
function fromDirective(line: string): readonly Found[] {
  const [, directive = "", address = "", rest = ""] = /^\s*(push|pull)\s+([^\s;]+)([^;]*)/.exec(line) ?? [];
  const url = address.includes("://") ? address : `rtmp://${address}`;
  if (address === "") return [];
  const playPath = /\bplaypath=(\S+)/.exec(rest)?.[1];
  const label = /\bname=(\S+)/.exec(rest)?.[1] ?? "";
  const host = /^[^:]+:\/\/[^/]*/.exec(url)?.[0] ?? url;
  if (directive === "pull") return [{ what: cut(label || host, WHAT_CHARACTERS_MAX), reason: "pull" }];
  if (playPath !== undefined) return [target(url, playPath, { label }, label || host)];
  const [, app = url, key = ""] = /^(rtmps?:\/\/[^/]+\/[^/?]+)\/(.+)$/i.exec(url) ?? [];
  return [target(app, key, { label }, label || host)];
}

/**
 * Reads the platforms in the settings of obs-multi-rtmp (JSON), OBS (`service.json`) or nginx-rtmp (`push` lines), in
 * their order. Also returns the entries that cannot become platforms, and why nothing was found at all. A person pasted
 * the text, and sees the result before anything is made of it.
 */
export function importTargets(text: string): Import {
  const none = { targets: [], skipped: [] };
  if (text.length > TEXT_CHARACTERS_MAX) return { ...none, problem: { kind: "too-long" } };
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  let found: readonly Found[];
  if (/^[[{]/.test(trimmed)) {
    try {
      found = fromJson(JSON.parse(trimmed), "#1");
    } catch (error) {
      return { ...none, problem: { kind: "broken-json", ...placeOf(error) } };
    }
  } else {
    found = trimmed.split(/[\n;]/).flatMap(fromDirective);
  }
  if (found.length === 0) return { ...none, problem: { kind: "nothing" } };
  const targets = found.filter((one) => "rtmpUrl" in one);
  const surplus = targets
    .slice(TARGETS_MAX)
    .map(
      ({ label, rtmpUrl }): SkippedTarget => ({ what: cut(label ?? rtmpUrl, WHAT_CHARACTERS_MAX), reason: "too-many" }),
    );
  return { targets: targets.slice(0, TARGETS_MAX), skipped: [...found.filter((one) => "reason" in one), ...surplus] };
}

/** The place of a JSON error. Engines put it into their messages, each in a form of its own, or not at all. */
function placeOf(error: unknown): { readonly line?: number; readonly column?: number } {
  const [, line, column] = /line (\d+),? column (\d+)/.exec(error instanceof Error ? error.message : "") ?? [];
  return line === undefined || column === undefined ? {} : { line: Number(line), column: Number(column) };
}

/** One platform found in another program's settings, as the API takes it; the key may be missing where that program hides it. */
export type ImportedTarget = {
  readonly targetName: string;
  readonly rtmpUrl: string;
  readonly streamKey: string;
  readonly label?: string;
  readonly id?: string;
  readonly password?: string;
};

/** Longer text is no settings file, in characters. */
const TEXT_CHARACTERS_MAX = 1_000_000;
/** As many as a channel may have. */
const TARGETS_MAX = 100;
/** Longest label the API takes, in characters. */
const LABEL_CHARACTERS_MAX = 40;

/** Kinds of platforms by what their host names end with. */
const HOSTS: readonly (readonly [suffix: string, targetName: string])[] = [
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

function targetNameOf(url: string): string {
  const host = /^rtmps?:\/\/([^/:]+)/i.exec(url)?.[1]?.toLowerCase() ?? "";
  return HOSTS.find(([suffix]) => host === suffix || host.endsWith(`.${suffix}`))?.[1] ?? "CUSTOM";
}

function target(url: string, key: string, more: Omit<Partial<ImportedTarget>, "targetName">): ImportedTarget[] {
  if (!/^rtmps?:\/\/[^\s/]+/i.test(url)) return [];
  const label = more.label === undefined ? "" : [...more.label].slice(0, LABEL_CHARACTERS_MAX).join("");
  return [
    {
      targetName: targetNameOf(url),
      rtmpUrl: url,
      streamKey: key,
      ...(label === "" ? {} : { label }),
      ...(more.id === undefined || more.id === "" ? {} : { id: more.id }),
      ...(more.password === undefined || more.password === "" ? {} : { password: more.password }),
    },
  ];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (fields: Fields, name: string): string => {
  const value = fields[name];
  return typeof value === "string" ? value.trim() : "";
};

/** Server and key as OBS keeps them, under a service's settings and in obs-multi-rtmp's `service-param` alike. */
function fromService(service: Fields, label: string): ImportedTarget[] {
  const login =
    service["use_auth"] === true ? { id: textOf(service, "username"), password: textOf(service, "password") } : {};
  return target(textOf(service, "server"), textOf(service, "key"), { label, ...login });
}

function fromJson(value: unknown): ImportedTarget[] {
  if (Array.isArray(value)) return value.flatMap((item) => fromJson(item));
  if (!isFields(value)) return [];
  const { targets, settings, "service-param": service } = value;
  // obs-multi-rtmp keeps a list of targets; OBS's service.json one service.
  if (Array.isArray(targets)) return targets.flatMap((item) => fromJson(item));
  if (isFields(service)) return fromService(service, textOf(value, "name"));
  if (isFields(settings)) return fromService(settings, textOf(settings, "service"));
  // obs-multi-rtmp before 0.3.
  return target(textOf(value, "rtmp-path"), textOf(value, "rtmp-key"), {
    label: textOf(value, "name"),
    id: textOf(value, "rtmp-user"),
    password: textOf(value, "rtmp-pass"),
  });
}

/** One `push` line of nginx-rtmp: the key is its `playpath`, else what follows the application in the address. */
function fromPush(line: string): ImportedTarget[] {
  const [, address = "", rest = ""] = /^\s*push\s+([^\s;]+)([^;]*)/.exec(line) ?? [];
  const url = address.includes("://") ? address : `rtmp://${address}`;
  if (address === "") return [];
  const playPath = /\bplaypath=(\S+)/.exec(rest)?.[1];
  const label = /\bname=(\S+)/.exec(rest)?.[1] ?? "";
  if (playPath !== undefined) return target(url, playPath, { label });
  const [, app = url, key = ""] = /^(rtmps?:\/\/[^/]+\/[^/?]+)\/(.+)$/i.exec(url) ?? [];
  return target(app, key, { label });
}

/**
 * The platforms in the settings of obs-multi-rtmp (JSON), OBS (`service.json`) or nginx-rtmp (`push` lines), in their order. What is
 * none of them yields nothing: a person pasted it, and sees what was found before anything is made of it.
 */
export function importTargets(text: string): readonly ImportedTarget[] {
  if (text.length > TEXT_CHARACTERS_MAX) return [];
  const trimmed = text.replace(/^\uFEFF/, "").trim();
  const found = /^[[{]/.test(trimmed) ? fromJsonText(trimmed) : trimmed.split(/[\n;]/).flatMap(fromPush);
  return found.slice(0, TARGETS_MAX);
}

function fromJsonText(text: string): ImportedTarget[] {
  try {
    return fromJson(JSON.parse(text));
  } catch {
    return [];
  }
}

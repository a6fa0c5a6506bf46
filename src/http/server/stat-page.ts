import type { ChannelLive } from "../../control/ports/runtime.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** A channel on air. */
export type OnAir = { readonly channelId: ChannelId; readonly live: ChannelLive };

/** The source of the page. */
export interface OnAirSource {
  /** Every channel on air, also while its encoder is lost and the last frame is held. */
  onAir(): readonly OnAir[];
}

const BITS = 8;

const FORBIDDEN = /[<>&"'\p{Cc}]/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  "<": "&lt;",
  ">": "&gt;",
  "&": "&amp;",
  '"': "&quot;",
  "'": "&apos;",
};

/** One element; a number is rounded, and what is not known is left out. */
function element(name: string, value: string | number | undefined): string {
  if (value === undefined) return "";
  const text =
    typeof value === "number" ? `${Math.round(value)}` : value.replace(FORBIDDEN, (each) => ENTITIES[each] ?? " ");
  return `<${name}>${text}</${name}>`;
}

function wrapped(name: string, content: string): string {
  return `<${name}>${content}</${name}>`;
}

/**
 * The statistics of nginx-rtmp's `rtmp_stat all`, for programs that read them, such as NOALBS. The stream's name is the
 * channel's id: the key is secret. Rates are bits a second. A channel that is held stays, with a rate of 0, so that no
 * reader takes a lost encoder for the end of the broadcast.
 */
export function statXml(channels: readonly OnAir[], nowMs: number): string {
  const inBytes = sum(channels, ({ live }) => (live.hold === undefined ? (live.ingest?.bytesPerSecond ?? 0) : 0));
  const outBytes = sum(channels, ({ live }) => sentPerSecond(live));
  const totals = [
    element("naccepted", channels.length),
    element("bw_in", inBytes * BITS),
    element(
      "bytes_in",
      sum(channels, ({ live }) => live.ingest?.bytesTotal ?? 0),
    ),
    element("bw_out", outBytes * BITS),
    element(
      "bytes_out",
      sum(channels, ({ live }) => sum([...live.targets.values()], ({ sample }) => sample?.bytesTotal ?? 0)),
    ),
  ].join("");
  const streams = channels.map((channel) => streamXml(channel, nowMs)).join("");
  const live = wrapped("live", `${streams}${element("nclients", channels.length)}`);
  const application = wrapped("application", `${element("name", "relay")}${live}`);
  return `<?xml version="1.0" encoding="utf-8" ?>\n${wrapped("rtmp", `${totals}${wrapped("server", application)}`)}\n`;
}

function sentPerSecond({ targets }: ChannelLive): number {
  return sum([...targets.values()], ({ sample }) => sample?.bytesPerSecond ?? 0);
}

function streamXml({ channelId, live }: OnAir, nowMs: number): string {
  const { ingest, hold, startTime, targets } = live;
  const isHeld = hold !== undefined;
  const { videoBytesPerSecond, audioBytesPerSecond } = ingest?.measures ?? {};
  const rate = (bytesPerSecond: number | undefined) => (isHeld ? 0 : (bytesPerSecond ?? 0) * BITS);
  const sending = [...targets.values()].filter(({ status }) => status.status === "PUBLISHING").length;
  return wrapped(
    "stream",
    [
      element("name", channelId),
      element("time", startTime === undefined ? undefined : nowMs - startTime),
      element("bw_in", rate(ingest?.bytesPerSecond)),
      element("bytes_in", ingest?.bytesTotal ?? 0),
      element("bw_out", sentPerSecond(live) * BITS),
      element(
        "bytes_out",
        sum([...targets.values()], ({ sample }) => sample?.bytesTotal ?? 0),
      ),
      element("bw_audio", rate(audioBytesPerSecond)),
      element("bw_video", rate(videoBytesPerSecond)),
      ingest === undefined ? "" : metaXml(ingest),
      element("nclients", sending + 1),
      "<publishing/>",
      isHeld ? "" : "<active/>",
    ].join(""),
  );
}

function metaXml(ingest: NonNullable<ChannelLive["ingest"]>): string {
  const { width, height, frameRate, videoCodec, audioCodec, sampleRate, channels } = ingest;
  const video = [
    element("width", width),
    element("height", height),
    element("frame_rate", frameRate),
    element("codec", videoCodec),
  ];
  const audio = [element("codec", audioCodec), element("channels", channels), element("sample_rate", sampleRate)];
  return wrapped("meta", wrapped("video", video.join("")) + wrapped("audio", audio.join("")));
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

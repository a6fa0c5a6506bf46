import { type Child, startChild } from "../processes/children.ts";
import type { Clip } from "../streams/clip.ts";

/** Without it FFmpeg's library drops at the end what it has not sent yet. */
export const LINGER = "linger=3";

/** The beginning of the control packet that ends a stream. */
const SHUTDOWN = 0x8005;
const CONTROL = 0x80;
const END_MS = 1_000;

/**
 * What a network that loses datagrams has to spare of a clip that is sent in real time. A sender repeats a packet that its
 * receiver asked for, and a receiver knows of a lost one by those behind it: so nobody repeats the last packets of a stream, nor
 * the one that ends it.
 */
export function endOf(clipSeconds: number): (datagram: Buffer) => boolean {
  let firstMs: number | undefined;
  return (datagram) => {
    if (((datagram[0] ?? 0) & CONTROL) !== 0) return datagram.readUInt16BE(0) === SHUTDOWN;
    firstMs ??= performance.now();
    return performance.now() - firstMs > clipSeconds * 1_000 - END_MS;
  };
}

/** FFmpeg publishing a clip as MPEG-TS in real time, packets unchanged; ends by itself after the clip. */
export async function startTsFfmpeg(clip: Clip, url: string): Promise<Child> {
  const input = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-re", "-i", clip.path, "-map", "0"];
  return await startChild("ffmpeg", [...input, "-c", "copy", "-f", "mpegts", url]);
}

/**
 * Sends on between UDP and SRT. Addresses of SRT have the form of this program: it decodes percent signs, and times are
 * in milliseconds.
 */
export async function startSrtTransmit(from: string, to: string): Promise<Child> {
  return await startChild("srt-live-transmit", ["-loglevel:error", "-timeout:60", from, to]);
}

/** gst-launch-1.0 encoding live video and audio and publishing them with srtsink; ends by itself. */
export async function startSrtGstreamer(uri: string, seconds: number): Promise<Child> {
  const pipeline = [
    ...`mpegtsmux name=mux alignment=7 ! srtsink uri=${uri} wait-for-connection=true`.split(" "),
    ...`videotestsrc is-live=true num-buffers=${seconds * 25} ! video/x-raw,width=320,height=240,framerate=25/1`.split(
      " ",
    ),
    ..."! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=25 bitrate=800 ! h264parse ! queue ! mux.".split(
      " ",
    ),
    ...`audiotestsrc is-live=true num-buffers=${Math.round((seconds * 48_000) / 1_024)} samplesperbuffer=1024`.split(
      " ",
    ),
    ..."! audio/x-raw,rate=48000,channels=2 ! audioconvert ! voaacenc ! aacparse ! queue ! mux.".split(" "),
  ];
  return await startChild("gst-launch-1.0", ["-e", ...pipeline]);
}

export type SrtReceiverProgram = "srt-live-transmit" | "ffmpeg" | "gstreamer";

/** A listener that writes what one caller sends to a file, and ends with it. `url` has no query yet. */
export async function startSrtReceiver(
  program: SrtReceiverProgram,
  port: number,
  path: string,
  { passphrase, host = "127.0.0.1" }: { readonly passphrase?: string | undefined; readonly host?: string } = {},
): Promise<Child> {
  const secret = passphrase === undefined ? "" : `&passphrase=${passphrase}`;
  const url = `srt://${host}:${port}?mode=listener${secret}`;
  switch (program) {
    case "srt-live-transmit":
      // It writes to its standard output only.
      return await startChild("sh", [
        "-c",
        `exec srt-live-transmit -loglevel:error -a:no '${url}' file://con > '${path}'`,
      ]);
    case "ffmpeg":
      return await startChild("ffmpeg", [
        ...["-hide_banner", "-loglevel", "error", "-nostdin", "-i", url, "-map", "0", "-c", "copy"],
        ...["-f", "mpegts", "-y", path],
      ]);
    case "gstreamer":
      return await startChild("gst-launch-1.0", ["-e", "srtsrc", `uri=${url}`, "!", "filesink", `location=${path}`]);
  }
}

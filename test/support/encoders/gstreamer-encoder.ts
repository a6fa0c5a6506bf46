import { type Child, startChild } from "../processes/children.ts";

export type GstreamerOptions = {
  /** `rtmp2sink` is GStreamer's own RTMP client, `rtmpsink` is librtmp. */
  readonly sink: "rtmp2sink" | "rtmpsink";
  readonly url: string;
  readonly seconds: number;
  /** Everything that is published is written here too. */
  readonly copyPath: string;
  /** Logs in where the server demands it; `rtmp2sink` alone. */
  readonly login?: { readonly id: string; readonly password: string };
};

/**
 * With live sources the muxer goes on without a stream that is late: it then leaves its header out, or time steps back
 * in what it writes. By default it waits for about one frame, which a busy machine exceeds. In nanoseconds.
 */
const MUXER_PATIENCE_NS = 20_000_000_000;

/** From one keyframe to the next: 8 s. A target that is late gets the stream from its beginning. */
const GROUP_FRAMES = 200;

/** gst-launch-1.0 encoding live video and audio (x264enc, voaacenc, flvmux); ends by itself, cleanly. */
export async function startGstreamer(options: GstreamerOptions): Promise<Child> {
  const sink = sinkWords(options);
  // 25 frames a second, and audio in buffers of 1024 samples at 48 kHz.
  const [videoFrames, audioBuffers] = [options.seconds * 25, Math.round((options.seconds * 48_000) / 1_024)];
  const pipeline = [
    ...`flvmux name=mux streamable=true latency=${MUXER_PATIENCE_NS} ! tee name=both`.split(" "),
    // The sources keep the pace.
    ...["both.", "!", "queue", "!", ...sink, "sync=false"],
    ...["both.", "!", "queue", "!", "filesink", `location=${options.copyPath}`],
    ...`videotestsrc is-live=true num-buffers=${videoFrames} ! video/x-raw,width=320,height=240,framerate=25/1`.split(
      " ",
    ),
    ...`! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=${GROUP_FRAMES} bitrate=800`.split(" "),
    ..."! h264parse ! queue ! mux.".split(" "),
    ...`audiotestsrc is-live=true num-buffers=${audioBuffers} samplesperbuffer=1024`.split(" "),
    ..."! audio/x-raw,rate=48000,channels=2 ! audioconvert ! voaacenc ! aacparse ! queue ! mux.".split(" "),
  ];
  return await startChild("gst-launch-1.0", ["-e", ...pipeline]);
}

function sinkWords({ sink, url, login }: GstreamerOptions): string[] {
  if (sink === "rtmpsink") return [sink, `location=${url} live=1`];
  const user = login === undefined ? [] : [`username=${login.id}`, `password=${login.password}`, "authmod=adobe"];
  return [sink, `location=${url}`, ...user];
}

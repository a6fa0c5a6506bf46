import { type Child, runToEnd, startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";

const STOP_GRACE_MS = 2_000;
/** Listens once it runs; a connection that checks it would count as its encoder. */
const START_MS = 1_500;

async function start({ channelCount, fanOut, sink, isTls }: Task): Promise<RunningRelay> {
  const children: Child[] = [];
  const ports: number[] = [];
  for (let channel = 0; channel < channelCount; channel += 1) {
    const port = await freePort();
    const scheme = isTls ? "rtmps" : "rtmp";
    const targets = Array.from(
      { length: fanOut },
      (_, target) => `[f=flv:flvflags=no_duration_filesize]${scheme}://${sink}/live/bench-${channel}-${target}`,
    );
    children.push(
      await startChild("ffmpeg", [
        ...["-hide_banner", "-loglevel", "error", "-nostdin", "-listen", "1", "-f", "flv"],
        ...["-i", `rtmp://127.0.0.1:${port}/live/bench-${channel}`, "-map", "0", "-c", "copy"],
        ...["-f", "tee", targets.join("|")],
      ]),
    );
    ports.push(port);
  }
  await new Promise((resolve) => setTimeout(resolve, START_MS));
  return {
    pids: () => children.map(({ pid }) => pid),
    ingests: ports.map((port, channel) => ({ port, app: "live", key: `bench-${channel}` })),
    stop: async () => {
      await Promise.all(children.map((child) => child.stop("SIGKILL", STOP_GRACE_MS)));
    },
  };
}

/** One process for each channel, which writes to all its targets in one thread. */
export const ffmpegRelay: Relay = {
  name: "ffmpeg",
  canTls: true,
  isNative: true,
  channelsMax: 60,
  start,
  version: async () => `${(await runToEnd("ffmpeg", ["-version"])).split("\n", 1)[0]}, tee -c copy`,
};

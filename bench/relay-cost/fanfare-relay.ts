import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { z } from "zod";
import { ApiClient } from "../../test/support/dashboard/api-client.ts";
import { runToEnd } from "../../test/support/processes/children.ts";
import { type FanfareOptions, FanfareProcess, ROOT } from "../../test/support/processes/fanfare-process.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";

/** Requests under way together. */
const CREATED_AT_ONCE = 10;
const CHANNELS = "/api/v2/re-stream/channels";
const created = z.object({
  channelId: z.string(),
  streamKey: z.string(),
  restream: z.array(z.object({ platId: z.number() })),
});

/** Settings of the caller's own environment reach the server, so that variants can be compared. */
function settings(): Record<string, string> {
  const own = Object.entries(process.env).filter(([name]) => name.startsWith("FANFARE_") || name === "NODE_OPTIONS");
  return Object.fromEntries(own.map(([name, value]) => [name, value ?? ""]));
}

async function start(
  task: Task,
  own: Readonly<Record<string, string>>,
  root: string,
  from: FanfareOptions["from"],
): Promise<RunningRelay> {
  const { channelCount, fanOut, sink, isTls, isQuick, folder, authority } = task;
  const credentials = { accessKey: "BENCH000000000000001", secretKey: randomBytes(20).toString("hex") };
  const trust: Record<string, string> = authority === undefined ? {} : { FANFARE_TLS_EXTRA_CA: authority };
  const server = await FanfareProcess.start({
    dataFolder: join(folder, "fanfare"),
    credentials,
    root,
    ...(from === undefined ? {} : { from }),
    environment: { FANFARE_LOG_LEVEL: "warn", ...trust, ...settings(), ...own },
  });
  const api = new ApiClient(server.origin, credentials, () => undefined, root === ROOT);
  const create = async (channel: number): Promise<z.infer<typeof created>> => {
    const restream = Array.from({ length: fanOut }, (_, target) => ({
      targetName: "CUSTOM",
      rtmpUrl: `${isTls ? "rtmps" : "rtmp"}://${sink}/live`,
      streamKey: `bench-${channel}-${target}`,
    }));
    const latency = isQuick ? "low" : "efficient";
    const body = { channelName: `bench_${channel}`, planType: "UNLIMITED", envType: "REAL", latency, restream };
    return created.parse(await api.request("POST", CHANNELS, body));
  };
  const channels: z.infer<typeof created>[] = [];
  while (channels.length < channelCount) {
    const count = Math.min(CREATED_AT_ONCE, channelCount - channels.length);
    const ones = Array.from({ length: count }, (_, index) => create(channels.length + index));
    channels.push(...(await Promise.all(ones)));
  }
  return {
    pids: () => [server.pid],
    origin: server.origin,
    ingests: channels.map(({ streamKey }) => ({ port: server.rtmpPort, app: "relay", key: streamKey })),
    rejoin: async () => {
      for (const { channelId, restream } of channels) {
        for (const { platId } of restream) {
          const platform = `${CHANNELS}/${channelId}/platforms/${platId}`;
          await api.request("PUT", `${platform}/off`);
          await api.request("PUT", `${platform}/on`);
        }
      }
    },
    stop: async () => void (await server.stop()),
  };
}

/**
 * Fanfare, started with these variables besides. `root`: the checkout that runs, with its packages installed; `from`:
 * unbuilt by default.
 */
export function fanfareWith(
  environment: Readonly<Record<string, string>>,
  root = ROOT,
  from?: FanfareOptions["from"],
): Relay {
  return {
    name: root === ROOT ? "fanfare" : "fanfare-before",
    canTls: true,
    isNative: false,
    channelsMax: 1_000,
    start: (task) => start(task, environment, root, from),
    version: async () =>
      `Fanfare ${(await runToEnd("git", ["-C", root, "describe", "--always", "--dirty", "--abbrev=7"])).trim()}`,
  };
}

export const fanfareRelay = fanfareWith({});

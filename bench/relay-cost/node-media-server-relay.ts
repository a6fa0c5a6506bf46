import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runToEnd, startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";
import { waitForPort } from "./wait-for-port.ts";

const VERSION = "4.4.3";
const STOP_GRACE_MS = 1_000;

/** Installed by npm, once, into the system's temporary folder: it is no dependency of Fanfare. */
async function installed(): Promise<string> {
  const folder = join(tmpdir(), `fanfare-bench-node-media-server-${VERSION}`);
  if (!existsSync(join(folder, "node_modules", "node-media-server", "package.json"))) {
    await mkdir(folder, { recursive: true });
    await runToEnd("npm", [
      ...["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"],
      `node-media-server@${VERSION}`,
    ]);
  }
  return folder;
}

/** Its own push task for each target, requested when the channel's encoder is there. */
function program(folder: string, { fanOut, sink, folder: data }: Task, port: number, httpPort: number): string {
  const config = { bind: "127.0.0.1", rtmp: { port }, http: { port: httpPort }, store: { path: join(data, "nms") } };
  return `
const { createRequire } = require("node:module");
const load = createRequire(${JSON.stringify(join(folder, "x.js"))});
const NodeMediaServer = load("node-media-server");
const server = new NodeMediaServer(${JSON.stringify({ ...config, auth: { play: false, publish: false, jwt: {} } })});
load("node-media-server/src/core/logger.js").level = "error";
server.on("postPublish", ({ streamPath }) => {
  for (let target = 0; target < ${fanOut}; target += 1) {
    const url = "rtmp://${sink}/live/" + streamPath.split("/").pop() + "-" + target;
    server.relayServer.addTask({ url, mode: "push", streamPath, reconnect: false });
  }
});
server.run();
`;
}

async function start(task: Task): Promise<RunningRelay> {
  const folder = await installed();
  const [port, httpPort] = [await freePort(), await freePort()];
  const file = join(task.folder, "node-media-server.cjs");
  await writeFile(file, program(folder, task, port, httpPort));
  const server = await startChild(process.execPath, [file], { cwd: task.folder });
  await waitForPort(port, server);
  return {
    pids: () => [server.pid],
    ingests: Array.from({ length: task.channelCount }, (_, channel) => ({ port, app: "live", key: `bench${channel}` })),
    stop: async () => void (await server.stop("SIGKILL", STOP_GRACE_MS)),
  };
}

export const nodeMediaServerRelay: Relay = {
  name: "node-media-server",
  canTls: false,
  isNative: false,
  channelsMax: 1_000,
  start,
  version: () => Promise.resolve(`Node-Media-Server ${VERSION}, RTMP push`),
};

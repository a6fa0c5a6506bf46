import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";
import { waitForPort } from "./wait-for-port.ts";

const PROGRAM = "/usr/sbin/nginx";
/** Debian's path. */
const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const STOP_GRACE_MS = 3_000;

function configuration(port: number, { fanOut, sinkPort }: Task): string {
  const pushes = Array.from({ length: fanOut }, (_, target) => `push rtmp://127.0.0.1:${sinkPort}/live${target};`);
  return `
load_module ${MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log error.log error;
events { worker_connections 4096; }
rtmp {
  server {
    listen 127.0.0.1:${port};
    chunk_size 4096;
    application live {
      live on;
      record off;
      ${pushes.join("\n      ")}
    }
  }
}
`;
}

async function start(task: Task): Promise<RunningRelay> {
  const port = await freePort();
  const folder = join(task.folder, "nginx");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(port, task));
  const nginx = await startChild(PROGRAM, ["-p", folder, "-e", join(folder, "error.log"), "-c", file]);
  await waitForPort(port, nginx);
  const { channelCount } = task;
  return {
    pids: () => [nginx.pid],
    ingests: Array.from({ length: channelCount }, (_, channel) => ({ port, app: "live", key: `bench-${channel}` })),
    stop: async () => void (await nginx.stop("SIGTERM", STOP_GRACE_MS)),
  };
}

export const nginxRelay: Relay = {
  name: "nginx-rtmp",
  canTls: false,
  channelsMax: 1_000,
  start,
  // nginx prints its version on standard error.
  version: () => Promise.resolve(spawnSync(PROGRAM, ["-v"], { encoding: "utf8" }).stderr.trim()),
};

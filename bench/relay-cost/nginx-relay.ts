import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";
import { waitForPort } from "./wait-for-port.ts";

const PROGRAM = "/usr/sbin/nginx";
/** Debian's paths: of `libnginx-mod-rtmp`, and of `libnginx-mod-stream`, which puts targets behind TLS. */
const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
const STOP_GRACE_MS = 3_000;

type Ports = {
  /** For encoders. */
  readonly port: number;
  /** Where targets behind TLS are reached in clear; absent without TLS. */
  readonly clearPort: number | undefined;
};

function configuration({ port, clearPort }: Ports, { fanOut, sink }: Task): string {
  const target = clearPort === undefined ? sink : `127.0.0.1:${clearPort}`;
  const pushes = Array.from({ length: fanOut }, (_, index) => `push rtmp://${target}/live${index};`);
  return `
${clearPort === undefined ? "" : `load_module ${STREAM_MODULE};`}
load_module ${MODULE};
daemon off;
master_process off;
pid nginx.pid;
error_log error.log error;
events { worker_connections 8192; }
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
${clearPort === undefined ? "" : securedBy(clearPort, sink)}
`;
}

/** nginx-rtmp speaks no TLS: the same process passes its connections on through TLS. */
function securedBy(clearPort: number, sink: string): string {
  return `stream {
  server {
    listen 127.0.0.1:${clearPort};
    proxy_pass ${sink};
    proxy_ssl on;
    proxy_ssl_protocols TLSv1.3;
    proxy_ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
    tcp_nodelay on;
  }
}`;
}

async function start(task: Task): Promise<RunningRelay> {
  if (task.isTls && !existsSync(STREAM_MODULE)) throw new Error("nginx needs libnginx-mod-stream for TLS");
  const port = await freePort();
  const clearPort = task.isTls ? await freePort() : undefined;
  const folder = join(task.folder, "nginx");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration({ port, clearPort }, task));
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
  canTls: true,
  isNative: true,
  channelsMax: 1_000,
  start,
  // nginx prints its version on standard error.
  version: () =>
    Promise.resolve(
      `${spawnSync(PROGRAM, ["-v"], { encoding: "utf8" }).stderr.trim()} (RTMPS: through its stream module, AES-128-GCM)`,
    ),
};

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";
import { waitForPort } from "./wait-for-port.ts";

const PROGRAM = "/usr/sbin/nginx";
/** Debian's paths: of `libnginx-mod-rtmp`, and of `libnginx-mod-stream`, which puts targets behind TLS. */
const MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const STREAM_MODULE = "/usr/lib/nginx/modules/ngx_stream_module.so";
/** Of Debian's `stunnel4`. */
const STUNNEL = "/usr/bin/stunnel4";
const STOP_GRACE_MS = 3_000;

type Ports = {
  /** For encoders. */
  readonly port: number;
  /** Where targets behind TLS are reached in clear; absent without TLS. */
  readonly clearPort: number | undefined;
};

/** What puts its targets behind TLS, which nginx-rtmp does not speak. */
type Cover = "stream" | "stunnel";

function configuration({ port, clearPort }: Ports, { fanOut, sink }: Task, cover: Cover): string {
  const target = clearPort === undefined ? sink : `127.0.0.1:${clearPort}`;
  const pushes = Array.from({ length: fanOut }, (_, index) => `push rtmp://${target}/live${index};`);
  const streamPort = cover === "stream" ? clearPort : undefined;
  return `
${streamPort === undefined ? "" : `load_module ${STREAM_MODULE};`}
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
${streamPort === undefined ? "" : securedBy(streamPort, sink)}
`;
}

/** The same process passes its connections on through TLS. */
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

/** A process of its own does. */
async function startStunnel(clearPort: number, { sink, folder }: Task): Promise<Child> {
  const file = join(folder, "nginx", "stunnel.conf");
  const settings = `
foreground = yes
pid =
[sink]
client = yes
accept = 127.0.0.1:${clearPort}
connect = ${sink}
sslVersion = TLSv1.3
ciphersuites = TLS_AES_128_GCM_SHA256
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
`;
  await writeFile(file, settings);
  const stunnel = await startChild(STUNNEL, [file]);
  await waitForPort(clearPort, stunnel);
  return stunnel;
}

async function start(task: Task, cover: Cover): Promise<RunningRelay> {
  if (task.isTls && cover === "stream" && !existsSync(STREAM_MODULE))
    throw new Error("nginx needs libnginx-mod-stream for TLS");
  if (cover === "stunnel" && !existsSync(STUNNEL)) throw new Error("nginx needs stunnel4 for TLS");
  const port = await freePort();
  const clearPort = task.isTls ? await freePort() : undefined;
  const folder = join(task.folder, "nginx");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration({ port, clearPort }, task, cover));
  const stunnel = cover === "stunnel" && clearPort !== undefined ? await startStunnel(clearPort, task) : undefined;
  const nginx = await startChild(PROGRAM, ["-p", folder, "-e", join(folder, "error.log"), "-c", file]);
  await waitForPort(port, nginx);
  const { channelCount } = task;
  return {
    pids: () => (stunnel === undefined ? [nginx.pid] : [nginx.pid, stunnel.pid]),
    ingests: Array.from({ length: channelCount }, (_, channel) => ({ port, app: "live", key: `bench-${channel}` })),
    stop: async () => {
      await nginx.stop("SIGTERM", STOP_GRACE_MS);
      await stunnel?.stop("SIGTERM", STOP_GRACE_MS);
    },
  };
}

/** nginx prints its version on standard error. */
function nginxVersion(): string {
  return spawnSync(PROGRAM, ["-v"], { encoding: "utf8" }).stderr.trim();
}

export const nginxRelay: Relay = {
  name: "nginx-rtmp",
  canTls: true,
  isNative: true,
  channelsMax: 1_000,
  start: (task) => start(task, "stream"),
  version: () => Promise.resolve(`${nginxVersion()} (RTMPS: through its stream module, AES-128-GCM)`),
};

/** What was usual before nginx's stream module; measured behind TLS alone. */
export const nginxStunnelRelay: Relay = {
  ...nginxRelay,
  name: "nginx-stunnel",
  start: (task) => start(task, "stunnel"),
  version: () => Promise.resolve(`${nginxVersion()}, behind stunnel (AES-128-GCM)`),
};

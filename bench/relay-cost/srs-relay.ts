import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startChild } from "../../test/support/processes/children.ts";
import { freePort } from "../../test/support/processes/free-port.ts";
import type { Relay, RunningRelay, Task } from "./relay.ts";
import { waitForPort } from "./wait-for-port.ts";

const STOP_GRACE_MS = 3_000;

function configuration(port: number, { fanOut, sink, folder }: Task): string {
  const destinations = Array.from({ length: fanOut }, () => sink);
  return `
listen 127.0.0.1:${port};
daemon off;
pid ${join(folder, "srs.pid")};
max_connections 4000;
srs_log_tank console;
srs_log_level error;
vhost __defaultVhost__ {
  chunk_size 4096;
  forward { enabled on; destination ${destinations.join(" ")}; }
}
`;
}

async function start(program: string, task: Task): Promise<RunningRelay> {
  const port = await freePort();
  const folder = join(task.folder, "srs");
  await mkdir(folder, { recursive: true });
  const file = join(folder, "srs.conf");
  await writeFile(file, configuration(port, { ...task, folder }));
  const srs = await startChild(program, ["-c", file], { cwd: folder });
  await waitForPort(port, srs);
  return {
    pids: () => [srs.pid],
    ingests: Array.from({ length: task.channelCount }, (_, channel) => ({
      port,
      app: "live",
      key: `bench-${channel}`,
    })),
    stop: async () => void (await srs.stop("SIGKILL", STOP_GRACE_MS)),
  };
}

/** SRS, whose binary is at this path: Debian has no package of it. */
export function srsRelay(program: string): Relay {
  return {
    name: "srs",
    canTls: false,
    isNative: true,
    channelsMax: 1_000,
    start: (task) => start(program, task),
    version: () => {
      const { stdout, stderr } = spawnSync(program, ["-v"], { encoding: "utf8" });
      return Promise.resolve(`SRS ${`${stdout}${stderr}`.trim()}`);
    },
  };
}

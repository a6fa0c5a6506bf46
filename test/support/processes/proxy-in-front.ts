import { mkdirSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { Stage } from "../stages/stage.ts";
import type { Child } from "./children.ts";
import { startChild } from "./children.ts";
import { waitFor } from "./waiting.ts";

const DEADLINE_MS = 10_000;
const STOP_GRACE_MS = 3_000;

/** Waits until a program listens there, and stops the program with the stage. */
async function running(stage: Stage, child: Child, port: number): Promise<void> {
  stage.onClose(() => child.stop("SIGTERM", STOP_GRACE_MS));
  await waitFor("the proxy to accept connections", DEADLINE_MS, async () => {
    if (!child.isRunning()) throw new Error(`the proxy ended: ${child.stderr()}${child.stdout()}`);
    return await new Promise<true | undefined>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(undefined));
      socket.once("connect", () => socket.destroy());
    });
  });
}

/** Debian's nginx with this inside its `http`, until the stage closes. */
export async function startNginx(stage: Stage, name: string, inside: string, port: number): Promise<void> {
  const folder = join(stage.folder, name);
  mkdirSync(folder);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder};`);
  const lines = [
    ...["daemon off;", "master_process off;", "pid nginx.pid;", "events {}"],
    ...["http {", "access_log off;", ...temporary, inside, "}"],
  ];
  writeFileSync(join(folder, "nginx.conf"), lines.join("\n"));
  const args = ["-p", folder, "-e", join(folder, "error.log"), "-c", join(folder, "nginx.conf")];
  await running(stage, await startChild("/usr/sbin/nginx", args), port);
}

/** Debian's Caddy with this site, and no other listener. */
export async function startCaddy(stage: Stage, name: string, site: string, port: number): Promise<void> {
  const folder = join(stage.folder, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "Caddyfile"), `{\n\tadmin off\n\tauto_https off\n}\n${site}\n`);
  const env = { PATH: process.env["PATH"], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  const args = ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"];
  await running(stage, await startChild("/usr/bin/caddy", args, { env }), port);
}

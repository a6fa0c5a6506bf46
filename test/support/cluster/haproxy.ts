import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Child, startChild } from "../processes/children.ts";
import { ROOT } from "../processes/fanfare-process.ts";
import { freePort } from "../processes/free-port.ts";

/** Debian's path, which is not on every user's search path. */
const PROGRAM = "/usr/sbin/haproxy";
const CONFIGURATION = join(ROOT, "deploy", "haproxy", "haproxy.cfg");

/** A node behind the proxy. */
export type ProxiedNode = { readonly host: string; readonly rtmpPort: number; readonly httpPort: number };

/** A running HAProxy: its ports, and the program. */
export type Haproxy = { readonly rtmpPort: number; readonly httpPort: number; readonly child: Child };

/**
 * Starts HAProxy with the configuration of deploy/ in front of nodes. Only the addresses are others, and how many there are.
 * `folder`: where the changed configuration goes.
 */
export async function startHaproxy(folder: string, nodes: readonly ProxiedNode[]): Promise<Haproxy> {
  const rtmpPort = await freePort();
  const httpPort = await freePort();
  const text = withAddresses(await readFile(CONFIGURATION, "utf8"), nodes)
    .replace("bind :1935", `bind 127.0.0.1:${rtmpPort}`)
    .replace("bind :8080", `bind 127.0.0.1:${httpPort}`);
  const path = join(folder, "haproxy.cfg");
  await writeFile(path, text);
  const child = await startChild(PROGRAM, ["-db", "-f", path]);
  return { rtmpPort, httpPort, child };
}

function withAddresses(configuration: string, nodes: readonly ProxiedNode[]): string {
  // The file has three nodes: a fourth is a copy of the third.
  const listed = configuration.replaceAll(/^ {2}server c 10\.0\.0\.3(:.*)$/gm, (line, rest: string) =>
    [line, ...nodes.slice(3).map((_, index) => `  server n${index + 4} 10.0.0.${index + 4}${rest}`)].join("\n"),
  );
  return nodes.reduce(
    (text, { host, rtmpPort, httpPort }, index) =>
      text
        .replaceAll(
          `10.0.0.${index + 1}:1935 send-proxy-v2 port 8080`,
          `${host}:${rtmpPort} send-proxy-v2 port ${httpPort}`,
        )
        .replaceAll(`10.0.0.${index + 1}:8080`, `${host}:${httpPort}`),
    listed,
  );
}

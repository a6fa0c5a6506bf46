import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { runToEnd } from "../support/processes/children.ts";
import { NetworkNamespace } from "../support/processes/network-namespace.ts";

const open = new Set<string>();
process.on("exit", () => {
  for (const name of open) spawnSync("ip", ["link", "del", name]);
});

const NAME = `ffb${process.pid}`;
/** Other runs on this machine have other networks. */
const HOST = `10.78.${process.pid % 250}.1`;

/**
 * A host for each node: a namespace, on a bridge of this machine. Services, encoders and targets are on this machine, at
 * the bridge's address. Needs root.
 */
export class LabNetwork {
  /** The bridge's address. */
  readonly host = HOST;
  readonly #namespaces = new Map<string, NetworkNamespace>();

  static async open(names: readonly string[]): Promise<LabNetwork> {
    const network = new LabNetwork();
    await removeLeftovers();
    try {
      await runToEnd("ip", ["link", "add", NAME, "type", "bridge"]);
      open.add(NAME);
      await runToEnd("ip", ["addr", "add", `${HOST}/24`, "dev", NAME]);
      await runToEnd("ip", ["link", "set", NAME, "up"]);
      for (const [index, name] of names.entries())
        network.#namespaces.set(name, await NetworkNamespace.openAt({ name: NAME, host: HOST }, index));
      return network;
    } catch (error) {
      await network.close();
      throw error;
    }
  }

  namespaceOf(name: string): NetworkNamespace {
    const found = this.#namespaces.get(name);
    if (found === undefined) throw new Error(`no namespace ${name}`);
    return found;
  }

  async close(): Promise<void> {
    for (const namespace of this.#namespaces.values()) await namespace.close();
    if (open.delete(NAME)) await runToEnd("ip", ["link", "del", NAME]);
  }
}

/** Removes the bridges of processes that were killed: their networks would take a later one's packets. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir("/sys/class/net")) {
    const pid = /^ffb(\d+)$/.exec(name)?.[1];
    // Another process may be faster.
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      await runToEnd("ip", ["link", "del", name]).catch(() => undefined);
  }
}

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { runToEnd } from "./children.ts";

const open = new Set<string>();
process.on("exit", () => {
  for (const name of open) spawnSync("ip", ["netns", "del", name]);
});

/** Where Linux keeps the names of namespaces. */
const NAMES_FOLDER = "/run/netns";
/** The networks of two hosts in 10.77.INDEX.0/24. */
const NETWORKS = 64;

/** The kernel's own limit. */
const GSO_SEGMENTS_MAX = 65_535;

/** A bridge of this machine to which namespaces are joined. `host`: its own IPv4 address, in a network of 256. */
type Bridge = { readonly name: string; readonly host: string };

export type Traffic = { readonly outBytes: number; readonly outPackets: number; readonly inBytes: number };

/**
 * A network namespace of our own, joined to this one by a pair of virtual interfaces: packets are lost, delayed and cut
 * off there as on a real path. Needs root. Removed with `close`, or with the process.
 */
export class NetworkNamespace {
  readonly name: string;
  /** Its own address, as seen from here. */
  readonly host: string;
  /** The address of this side, as seen from there. */
  readonly peerHost: string;
  readonly #outside: string;
  readonly #inside: string;

  private constructor(index: number, { host, peerHost }: Pick<NetworkNamespace, "host" | "peerHost">) {
    this.name = `fanfare-${process.pid}-${index}`;
    // 15 characters at most; a process number has seven.
    this.#outside = `ff${process.pid}o${index}`;
    this.#inside = `ff${process.pid}i${index}`;
    this.host = host;
    this.peerHost = peerHost;
  }

  /** `index`: from 0, another for each namespace that this process has at the same time. */
  static async open(index: number): Promise<NetworkNamespace> {
    await removeLeftovers();
    const namespace = new NetworkNamespace(index, unusedAddresses(index));
    await namespace.#join([["addr", "add", `${namespace.peerHost}/30`, "dev", namespace.#outside]], 30);
    return namespace;
  }

  /** Opens one that reaches this machine, and the others of the same bridge, over the bridge. */
  static async openAt({ name, host }: Bridge, index: number): Promise<NetworkNamespace> {
    await removeLeftovers();
    const namespace = new NetworkNamespace(index, { host: host.replace(/\d+$/, `${index + 2}`), peerHost: host });
    await namespace.#join([["link", "set", namespace.#outside, "master", name]], 24);
    return namespace;
  }

  /** Whether this process may make some: root in a container mostly may not. */
  static get isPossible(): boolean {
    return (
      process.platform === "linux" && process.getuid?.() === 0 && spawnSync("unshare", ["--net", "true"]).status === 0
    );
  }

  /** The command that runs a command in it. `ip netns exec` and `ip -n` change mounts too, which fails in a chroot. */
  get wrapper(): readonly string[] {
    return ["nsenter", `--net=${NAMES_FOLDER}/${this.name}`];
  }

  /** Bytes a second that reach it, at most; undefined: unlimited. */
  async limit(kilobits: number | undefined): Promise<void> {
    const queue = ["qdisc", kilobits === undefined ? "del" : "add", "dev", this.#outside, "root"];
    const rate = ["tbf", "rate", `${kilobits}kbit`, "burst", "5kb", "latency", "300ms"];
    await runToEnd("tc", kilobits === undefined ? queue : [...queue, ...rate]);
  }

  /** The verdicts on packets that come in, and on those that go out: nftables' words, `drop` for all. */
  async filter(rules: { readonly input?: string; readonly output?: string }): Promise<void> {
    const chains = Object.entries(rules).map(
      ([hook, rule]) => `add chain inet fanfare ${hook} {
      type filter hook ${hook} priority 0;
    }
    add rule inet fanfare ${hook} ${rule}`,
    );
    await this.#inIt(["nft", ["add table inet fanfare", ...chains].join("\n")]);
  }

  async unfilter(): Promise<void> {
    await this.#inIt(["nft", "delete table inet fanfare"]);
  }

  /** Makes all addresses of a network its own: datagrams may come from any of them, and replies go to it. */
  async ownNetwork(network: string): Promise<void> {
    await runToEnd("ip", ["route", "add", network, "via", this.host, "dev", this.#outside]);
    await this.#inIt(["ip", "route", "add", "local", network, "dev", "lo"]);
  }

  /** Bytes and packets that came out of it and that went into it, with all headers. */
  async traffic(): Promise<Traffic> {
    const read = async (name: string) =>
      Number(await readFile(`/sys/class/net/${this.#outside}/statistics/${name}`, "utf8"));
    return {
      outBytes: await read("rx_bytes"),
      outPackets: await read("rx_packets"),
      inBytes: await read("tx_bytes"),
    };
  }

  /**
   * Packets as large as they are given to a network card. `receivesOn`: the core that works on what arrives in it; absent: the
   * sender's.
   */
  async asCard(receivesOn: number | undefined): Promise<void> {
    await runToEnd("ip", ["link", "set", this.#outside, "gso_max_segs", `${GSO_SEGMENTS_MAX}`]);
    await this.#inIt(["ip", "link", "set", this.#inside, "gso_max_segs", `${GSO_SEGMENTS_MAX}`]);
    if (receivesOn === undefined) return;
    const queue = `/sys/class/net/${this.#inside}/queues/rx-0/rps_cpus`;
    // Files of its own interfaces are in a /sys of its own, which `ip` mounts.
    const write = `echo ${(1 << receivesOn).toString(16)} > ${queue}`;
    await runToEnd("ip", ["netns", "exec", this.name, "sh", "-c", write]);
  }

  async setLink(isUp: boolean): Promise<void> {
    await this.#inIt(["ip", "link", "set", this.#inside, isUp ? "up" : "down"]);
  }

  /** Ends the connections to one of its ports with a reset. */
  async resetConnections(port: number): Promise<void> {
    await this.#inIt(["ss", "-K", "-t", "sport", "=", `:${port}`]);
  }

  async close(): Promise<void> {
    // At once: with its namespace it would go somewhat later, and a next one of this name would fail.
    await runToEnd("ip", ["link", "del", this.#outside]).catch(() => undefined);
    await runToEnd("ip", ["netns", "del", this.name]);
    open.delete(this.name);
  }

  /** `outside`: what `ip` does with the end of the pair that stays here. `prefix`: the bits of the network's part of an address. */
  async #join(outside: readonly (readonly string[])[], prefix: number): Promise<void> {
    await runToEnd("ip", ["netns", "add", this.name]);
    open.add(this.name);
    const pair = ["type", "veth", "peer", "name", this.#inside, "netns", this.name];
    await runToEnd("ip", ["link", "add", this.#outside, ...pair]);
    for (const words of outside) await runToEnd("ip", words);
    // Packets as they are on a wire: a queue of a few kilobytes would drop one that is larger than itself.
    await runToEnd("ip", ["link", "set", this.#outside, "gso_max_segs", "1", "up"]);
    await this.#inIt(["ip", "link", "set", "lo", "up"]);
    await this.#inIt(["ip", "addr", "add", `${this.host}/${prefix}`, "dev", this.#inside]);
    await this.#inIt(["ip", "link", "set", this.#inside, "gso_max_segs", "1", "up"]);
  }

  async #inIt(words: readonly string[]): Promise<void> {
    const [enter = "", ...place] = this.wrapper;
    await runToEnd(enter, [...place, ...words]);
  }
}

/**
 * Removes the namespaces of processes that were killed: their networks would take the packets for a later one with the
 * same addresses.
 */
async function removeLeftovers(): Promise<void> {
  const names = existsSync(NAMES_FOLDER) ? await readdir(NAMES_FOLDER) : [];
  const pids = new Map(names.map((name) => [name, /^fanfare-(\d+)-\d+$/.exec(name)?.[1]]));
  const left = names.filter((name) => pids.get(name) !== undefined && !existsSync(`/proc/${pids.get(name)}`));
  // Another process may be faster; nothing else matters here.
  for (const name of left) await runToEnd("ip", ["netns", "del", name]).catch(() => undefined);
}

/** The first network that nobody on this machine has: two test runs at the same time get different ones. */
function unusedAddresses(index: number): Pick<NetworkNamespace, "host" | "peerHost"> {
  const interfaces = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const used = new Set(interfaces.map(({ address }) => address));
  for (let network = 0; network < NETWORKS; network += 1) {
    // By the process, so that two that look at the same time seldom choose the same.
    const first = 4 * ((process.pid + network) % NETWORKS);
    const peerHost = `10.77.${index}.${first + 1}`;
    if (!used.has(peerHost)) return { host: `10.77.${index}.${first + 2}`, peerHost };
  }
  throw new Error(`all ${NETWORKS} networks of 10.77.${index}.0/24 are in use`);
}

import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { runToEnd } from "./children.ts";

const open = new Set<string>();
process.on("exit", () => {
  for (const name of open) spawnSync("ip", ["netns", "del", name]);
});

/** Two addresses of 10.77.INDEX.0/24 for each process: another test run on this machine has others. */
const FIRST_ADDRESS = 4 * (process.pid % 63);

/** Interface names have 15 characters at most. */
const NAME_PART = `${process.pid % 100_000}`;

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

  /** `index`: from 0, another for each namespace that exists at the same time. */
  private constructor(
    index: number,
    host = `10.77.${index}.${FIRST_ADDRESS + 2}`,
    peerHost = `10.77.${index}.${FIRST_ADDRESS + 1}`,
  ) {
    this.name = `fanfare-${NAME_PART}-${index}`;
    this.#outside = `ff${NAME_PART}o${index}`;
    this.#inside = `ff${NAME_PART}i${index}`;
    this.host = host;
    this.peerHost = peerHost;
  }

  static async open(index: number): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(index);
    await namespace.#join([["addr", "add", `${namespace.peerHost}/30`, "dev", namespace.#outside]], 30);
    return namespace;
  }

  /** Opens one that reaches this machine, and the others of the same bridge, over the bridge. */
  static async openAt({ name, host }: Bridge, index: number): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(index, host.replace(/\d+$/, `${index + 2}`), host);
    await namespace.#join([["link", "set", namespace.#outside, "master", name]], 24);
    return namespace;
  }

  /** Whether this process may make some. */
  static get isPossible(): boolean {
    return process.platform === "linux" && process.getuid?.() === 0 && spawnSync("ip", ["netns", "list"]).status === 0;
  }

  /** The command that runs a command in it. */
  get wrapper(): readonly string[] {
    return ["ip", "netns", "exec", this.name];
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
    await runToEnd("ip", ["-n", this.name, "route", "add", "local", network, "dev", "lo"]);
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
    await this.#inIt(["sh", "-c", `echo ${(1 << receivesOn).toString(16)} > ${queue}`]);
  }

  async setLink(isUp: boolean): Promise<void> {
    await this.#inIt(["ip", "link", "set", this.#inside, isUp ? "up" : "down"]);
  }

  /** Ends the connections to one of its ports with a reset. */
  async resetConnections(port: number): Promise<void> {
    await this.#inIt(["ss", "-K", "-t", "sport", "=", `:${port}`]);
  }

  async close(): Promise<void> {
    // The pair of interfaces goes with it.
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
    await runToEnd("ip", ["-n", this.name, "link", "set", "lo", "up"]);
    await runToEnd("ip", ["-n", this.name, "addr", "add", `${this.host}/${prefix}`, "dev", this.#inside]);
    await runToEnd("ip", ["-n", this.name, "link", "set", this.#inside, "gso_max_segs", "1", "up"]);
  }

  async #inIt([command = "", ...args]: readonly string[]): Promise<void> {
    const [ip = "", ...exec] = this.wrapper;
    await runToEnd(ip, [...exec, command, ...args]);
  }
}

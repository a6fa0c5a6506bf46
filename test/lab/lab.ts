import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { type Haproxy, startHaproxy } from "../support/cluster/haproxy.ts";
import { ingestUrl, type LabNode, startLabNode } from "../support/cluster/lab-node.ts";
import { NodeWays } from "../support/cluster/node-ways.ts";
import { SharedServices } from "../support/cluster/shared-services.ts";
import type { NetworkNamespace } from "../support/processes/network-namespace.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { ClaimLog } from "./claim-log.ts";
import { LabNetwork } from "./lab-network.ts";
import { ReturningEncoder } from "./returning-encoder.ts";

const NAMES = ["a", "b", "c"] as const;
/** A node that does not run at first. */
const SPARE = "spare";
const TARGETS = 2;
const KILOBITS = 300;
const ON_AIR_MS = 20_000;
const STOP_GRACE_MS = 3_000;
const LOOPBACK = "127.0.0.1";
/** The caller's, for a run with other ones than the default. */
const SILENCES = Object.fromEntries(
  ["FANFARE_OWNER_SILENT_MS", "FANFARE_HOST_SILENT_MS"].flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);
/** Loopback, and the networks of hosts. */
const TARGETS_ALLOWED = "127.0.0.0/8,10.78.0.0/16";
const PROXIED = { FANFARE_PROXY_PROTOCOL_FROM: TARGETS_ALLOWED, FANFARE_TRUSTED_PROXIES: TARGETS_ALLOWED };

const backupAnswer = z.looseObject({ backupStreamKey: z.string() });

export type LabChannel = {
  readonly channelId: string;
  readonly streamKey: string;
  /** Where channels have a second key. */
  readonly backupKey: string | undefined;
  readonly targets: readonly KitTarget[];
};

export type LabOptions = {
  readonly channels: number;
  /** Records of messages that each connection of a target keeps; default none. */
  readonly messagesMax?: number;
  /** Whether encoders come through HAProxy, or to one node after the other; default through HAProxy. */
  readonly isProxied?: boolean;
  /** Whether channels have a second key; default not. */
  readonly hasBackup?: boolean;
  /**
   * `proxies`: each node's ways to the services, and the other nodes' to it, can be cut. `hosts`: each node has a host of its
   * own, a network namespace. Default: everything is on this host.
   */
  readonly network?: "proxies" | "hosts";
  /** Default one. */
  readonly natsServers?: number;
  /** Further settings of the nodes. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long a node that is stopped carries its broadcasts on; default not at all. */
  readonly drainSeconds?: number;
  /** Whether there is a fourth node, which does not run yet; default not. */
  readonly hasSpare?: boolean;
  /** Nodes by name that are installed elsewhere, and the folder; default none. */
  readonly other?: { readonly root: string; readonly nodes: readonly string[] };
};

/** Three real nodes behind HAProxy on real services, and channels with targets that see everything. */
export class Lab {
  readonly folder: string;
  readonly services: SharedServices;
  readonly nodes: readonly LabNode[];
  readonly proxy: Haproxy | undefined;
  readonly claims: ClaimLog;
  readonly channels: readonly LabChannel[];
  /** A fourth node, which does not run at first. */
  readonly spare: LabNode | undefined;
  /** Where nodes are installed elsewhere. */
  readonly other: LabOptions["other"];
  /** Where each node has a host of its own. */
  readonly #network: LabNetwork | undefined;
  readonly #closers: (() => Promise<unknown>)[];
  readonly #ways: ReadonlyMap<string, NodeWays>;
  #encoders = 0;

  private constructor(
    parts: Pick<Lab, "folder" | "services" | "nodes" | "proxy" | "claims" | "channels" | "spare" | "other">,
    { ways, network }: { readonly ways: ReadonlyMap<string, NodeWays>; readonly network: LabNetwork | undefined },
    closers: (() => Promise<unknown>)[],
  ) {
    this.#network = network;
    this.folder = parts.folder;
    this.services = parts.services;
    this.nodes = parts.nodes;
    this.proxy = parts.proxy;
    this.claims = parts.claims;
    this.channels = parts.channels;
    this.spare = parts.spare;
    this.other = parts.other;
    this.#ways = ways;
    this.#closers = closers;
  }

  /** Rejects where something cannot be started, and leaves nothing behind then. */
  static async start({
    channels: count,
    messagesMax = 0,
    isProxied = true,
    hasBackup = false,
    network: kind,
    natsServers = 1,
    drainSeconds = 0,
    hasSpare = false,
    other,
    environment: more = {},
  }: LabOptions): Promise<Lab> {
    const closers: (() => Promise<unknown>)[] = [];
    try {
      const folder = await mkdtemp(join(tmpdir(), "fanfare-lab-"));
      closers.push(() => rm(folder, { recursive: true, force: true }));
      const network = kind === "hosts" ? await LabNetwork.open(NAMES) : undefined;
      closers.push(async () => network?.close());
      const services = await SharedServices.start(folder, { natsServers, host: network?.host ?? LOOPBACK });
      closers.push(() => services.close());
      const nodes: LabNode[] = [];
      const environment = {
        FANFARE_LOG_LEVEL: "info",
        FANFARE_DRAIN_SECONDS: `${drainSeconds}`,
        FANFARE_TARGET_ALLOW: TARGETS_ALLOWED,
        ...SILENCES,
        ...(isProxied ? PROXIED : {}),
        ...more,
      };
      const ways = new Map<string, NodeWays>();
      let spare: LabNode | undefined;
      for (const name of hasSpare ? [...NAMES, SPARE] : NAMES) {
        const way = kind === "proxies" ? await NodeWays.open(services) : undefined;
        if (way !== undefined) ways.set(name, way);
        closers.push(async () => way?.close());
        const node = await startLabNode(name, folder, services, {
          environment: { ...environment, ...way?.environment },
          ...(other?.nodes.includes(name) === true ? { root: other.root } : {}),
          ...(network === undefined ? {} : hostOf(network, name)),
        });
        closers.push(() => node.fanfare.stop());
        if (name === SPARE) spare = node;
        else nodes.push(node);
      }
      await spare?.fanfare.stop();
      const ports = [...nodes, ...(spare === undefined ? [] : [spare])].map(({ fanfare }) => fanfare);
      const proxy = isProxied ? await startHaproxy(folder, ports) : undefined;
      closers.push(async () => proxy?.child.stop("SIGTERM", STOP_GRACE_MS));
      const claims = await ClaimLog.start(services);
      const channels: LabChannel[] = [];
      for (let no = 1; no <= count; no += 1)
        channels.push(
          await newChannel(nodes[0], { no, messagesMax, hasBackup, host: services.postgres.host }, closers),
        );
      return new Lab({ folder, services, nodes, proxy, claims, channels, spare, other }, { ways, network }, closers);
    } catch (error) {
      await closeAll(closers);
      throw error;
    }
  }

  /** An encoder of a channel, which comes back after each loss of its connection. */
  encoder({ streamKey }: LabChannel): ReturningEncoder {
    const clip = syntheticClip({ video: "180p", kilobits: KILOBITS });
    const encoder = new ReturningEncoder(() => this.#nextUrl(), streamKey, clip);
    this.#closers.push(() => encoder.stop());
    return encoder;
  }

  #nextUrl(): string {
    this.#encoders += 1;
    if (this.proxy !== undefined) return this.proxiedUrl;
    const node = this.nodes[this.#encoders % this.nodes.length];
    if (node === undefined) throw new Error("no node");
    return ingestUrl(node);
  }

  /** Where encoders publish at the proxy, without a key. */
  get proxiedUrl(): string {
    return `rtmp://${LOOPBACK}:${this.proxy?.rtmpPort}/live`;
  }

  /** The host of a node that has one of its own. */
  hostOf(name: string): NetworkNamespace {
    if (this.#network === undefined) throw new Error("the nodes have no hosts of their own");
    return this.#network.namespaceOf(name);
  }

  /** The ways of a node that can be cut. */
  waysOf(name: string): NodeWays {
    const ways = this.#ways.get(name);
    if (ways === undefined) throw new Error("the lab has no ways that can be cut");
    return ways;
  }

  node(name: string | undefined): LabNode {
    const found = this.nodes.find((node) => node.name === name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** Waits until every target of a channel gets media on its `index`-th connection or a later one. */
  async onAir({ targets, channelId }: LabChannel, indexes: readonly number[] = targets.map(() => 0)): Promise<void> {
    await Promise.all(targets.map((target, at) => mediaBehind(target, indexes[at] ?? 0, channelId)));
  }

  /** Ends everything. Rejects with the first thing that could not be ended. */
  async close(): Promise<void> {
    await closeAll(this.#closers);
  }
}

/** Waits until a target gets media on a connection with this number or a later one. Returns when. */
export async function mediaBehind(target: KitTarget, index: number, what: string): Promise<number> {
  const isThere = () =>
    target.connections.slice(index).some(({ report }) => report.mediaBytes > 0 && report.state === "open")
      ? performance.now()
      : undefined;
  return await waitFor(`media of ${what}`, ON_AIR_MS, isThere, () => `${target.connections.length} connections`);
}

function hostOf(network: LabNetwork, name: string) {
  const { host, wrapper } = network.namespaceOf(name);
  return { host, wrapper };
}

type NewChannel = {
  readonly no: number;
  readonly messagesMax: number;
  readonly hasBackup: boolean;
  /** Of the targets. */
  readonly host: string;
};

async function newChannel(
  node: LabNode | undefined,
  { no, messagesMax, hasBackup, host }: NewChannel,
  closers: (() => Promise<unknown>)[],
): Promise<LabChannel> {
  const targets: KitTarget[] = [];
  for (let index = 0; index < TARGETS; index += 1) {
    const target = await KitTarget.start({ messagesMax, host });
    closers.push(() => target.close());
    targets.push(target);
  }
  const platforms = targets.map(({ url }, index) => ({ rtmpUrl: url, streamKey: `lab-${no}-${index}` }));
  const channel = await node?.api.createChannel(`lab_${no}`, platforms);
  if (channel === undefined) throw new Error("no node");
  const { channelId, streamKey } = channel;
  const url = `/api/v2/re-stream/channels/${channelId}`;
  const backupKey = hasBackup
    ? backupAnswer.parse(await node?.api.request("PUT", url, { backup: { enabled: true } })).backupStreamKey
    : undefined;
  return { channelId, streamKey, backupKey, targets };
}

async function closeAll(closers: (() => Promise<unknown>)[]): Promise<void> {
  // What was started last ends first.
  const failures: unknown[] = [];
  for (const close of closers.splice(0).reverse()) await close().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

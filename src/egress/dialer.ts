import type { Socket } from "node:net";
import type { Clock } from "../base/clock.ts";
import { isSrtUrl } from "../base/srt-url.ts";
import type { MachineTrouble } from "../base/system-errors.ts";
import type { AddressPolicy } from "../net/address-check.ts";
import { withOwnNames } from "../net/dns/own-names.ts";
import type { Resolver } from "../net/dns/resolver.ts";
import { DirectSockets } from "../net/kernel/direct-sockets.ts";
import { KernelQueues } from "../net/kernel/kernel-queues.ts";
import { SharedLooks } from "../net/shared-looks.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import type { TargetAddress } from "../protocol/rtmp/url.ts";
import type { Dialer, LinkEvents } from "../relay/subscriber/rtmp-push/link.ts";
import type { ChannelId, TargetSpec } from "../thread-protocol/channel-spec.ts";
import { checkedAddresses } from "./checked-addresses.ts";
import { machineError } from "./link-errors.ts";
import { OpenError, openTcp, openTls } from "./open-socket.ts";
import { RtmpLink } from "./rtmp-link.ts";
import { SrtLink } from "./srt-link.ts";
import { TlsMemory } from "./tls-memory.ts";
import { DialTrace, type DialTraceDeps } from "./traces/dial-trace.ts";

export type RtmpDialerDeps = {
  readonly clock: Clock;
  readonly randomBytes: (length: number) => Buffer;
  readonly resolver: Resolver;
  /** Which addresses are allowed; read again at each attempt. */
  readonly policy: AddressPolicy;
  /** PEM certificates of authorities that targets may use besides the usual ones; absent: none. */
  readonly extraCa?: string;
  /** Absent: direct system calls wherever they are possible. */
  readonly directSockets?: DirectSockets;
  /** Called with a mistake of this program that ended one link. */
  readonly onFault: (error: unknown) => void;
  /** Called when a connection failed because of this machine. */
  readonly onTrouble?: (trouble: MachineTrouble) => void;
  /** Takes a file descriptor for one more connection; false where none is left. Absent: never false. */
  readonly takeDescriptor?: () => boolean;
  /** Absent: dials are not traced. */
  readonly traces?: DialTraceDeps;
};

/** Dials RTMP, RTMPS and SRT targets over the network, and knows which of its connections still exist. */
export class RtmpDialer implements Dialer {
  readonly #deps: RtmpDialerDeps;
  readonly #links = new Set<RtmpLink | SrtLink>();
  readonly #policy: AddressPolicy;
  readonly #tlsMemory: TlsMemory;
  readonly #queues: KernelQueues;
  readonly #looks: SharedLooks;
  readonly #directSockets: DirectSockets;
  #whenIdle: (() => void) | undefined;

  constructor(deps: RtmpDialerDeps) {
    this.#deps = deps;
    this.#policy = withOwnNames(deps.policy, deps.resolver, deps.clock);
    this.#tlsMemory = new TlsMemory(deps.extraCa ?? "");
    this.#looks = new SharedLooks(deps.clock);
    this.#directSockets = deps.directSockets ?? new DirectSockets();
    this.#queues = new KernelQueues(deps.clock, { loadCalls: () => this.#directSockets.calls() });
  }

  dial(target: TargetSpec, events: LinkEvents, channelId?: ChannelId): RtmpLink | SrtLink {
    const { traces } = this.#deps;
    const trace = traces === undefined ? undefined : new DialTrace(traces, { target, channelId });
    const watched = trace?.watch(events) ?? events;
    return isSrtUrl(target.url) ? this.#dialSrt(target, watched, trace) : this.#dialRtmp(target, watched, trace);
  }

  #dialSrt(target: TargetSpec, events: LinkEvents, trace: DialTrace | undefined): SrtLink {
    const { clock, randomBytes, onFault, onTrouble = () => undefined, takeDescriptor } = this.#deps;
    const link = new SrtLink(target, events, {
      ...{ clock, randomBytes, onFault, onTrouble },
      resolve: async (address, signal) => {
        if (takeDescriptor?.() === false)
          throw new OpenError("tcp", machineError("descriptors"), { trouble: "descriptors" });
        trace?.enter("dns");
        return this.#resolve(target, address, signal);
      },
      onStage: (stage) => trace?.enter(`srt ${stage}`),
      onGone: (gone) => this.#gone(gone, trace),
    });
    this.#links.add(link);
    return link;
  }

  #dialRtmp(target: TargetSpec, events: LinkEvents, trace: DialTrace | undefined): RtmpLink {
    const { clock, randomBytes, onFault, onTrouble = () => undefined } = this.#deps;
    const link = new RtmpLink(target, events, {
      clock,
      randomBytes,
      onFault,
      onTrouble,
      queues: this.#queues,
      looks: this.#looks,
      directSockets: this.#directSockets,
      reach: async (address, signal) => {
        const addresses = await this.#resolve(target, address, signal);
        const { socket, checked } = await openTcp(addresses, clock, signal);
        socket.destroy();
        return checked.address;
      },
      open: (address, signal) => this.#open(target, address, signal, trace),
      onStage: (stage) => trace?.enter(`rtmp ${stage}`),
      check: async (address, signal) => {
        await this.#resolve(target, address, signal);
      },
      onGone: (gone) => this.#gone(gone, trace),
    });
    this.#links.add(link);
    return link;
  }

  #gone(link: RtmpLink | SrtLink, trace: DialTrace | undefined): void {
    trace?.gone();
    this.#links.delete(link);
    if (this.#links.size === 0) this.#whenIdle?.();
  }

  /** Resolves when every connection is gone, including those that linger after their close. */
  idle(): Promise<void> {
    if (this.#links.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenIdle = resolve;
    });
  }

  /** Resolves and checks the name again for each connection: its addresses may have changed. */
  async #open(
    target: TargetSpec,
    address: TargetAddress,
    signal: AbortSignal,
    trace: DialTrace | undefined,
  ): Promise<Socket> {
    if (this.#deps.takeDescriptor?.() === false) {
      throw new OpenError("tcp", machineError("descriptors"), { trouble: "descriptors" });
    }
    trace?.enter("dns");
    const addresses = await this.#resolve(target, address, signal);
    trace?.enter("tcp");
    const { socket, checked } = await openTcp(addresses, this.#deps.clock, signal);
    if (address.scheme === "rtmp") return socket;
    trace?.enter("tls");
    const trust = { tls: target.tls ?? {}, memory: this.#tlsMemory, targetId: target.targetId };
    return openTls(socket, checked, trust, this.#deps.clock, signal);
  }

  #resolve(
    target: TargetSpec,
    { host, port }: Pick<TargetAddress, "host" | "port">,
    signal: AbortSignal,
  ): Promise<readonly CheckedAddress[]> {
    // Of a host to which a redirect leads no sentence is told: its failure is one of the redirect.
    const isPresetHost = target.isPresetHost === true;
    return checkedAddresses({ host, port, isPresetHost }, { ...this.#deps, policy: this.#policy }, signal);
  }
}

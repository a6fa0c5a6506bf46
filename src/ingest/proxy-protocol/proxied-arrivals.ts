import { BlockList, isIPv6, type Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import type { CidrBlock } from "../../net/cidr-list.ts";
import { peerAddress, plainAddress } from "../peer-address.ts";
import { readProxyHeader } from "./proxy-header.ts";

/** Connections that wait for their header at a time, all from the listed networks. */
const WAITING_MAX = 1_024;

export type ProxiedArrivalsDeps = {
  readonly clock: Pick<Clock, "awakeNow" | "startTimer">;
  /** Networks of proxies, from which every connection begins with a header of the PROXY protocol. */
  readonly from: readonly CidrBlock[];
  /** A proxy has this long for its header, in milliseconds. */
  readonly deadlineMs: number;
  /** A connection was closed: who it was from, and why. */
  readonly onRefused: (address: string, why: string) => void;
};

/** Finds out who connects: the TCP peer, or the one that a proxy of a listed network names. */
export class ProxiedArrivals {
  readonly #deps: ProxiedArrivalsDeps;
  readonly #proxies = new BlockList();
  /** Peers named by proxies. */
  readonly #named = new WeakMap<Socket, string>();
  #waiting = 0;

  constructor(deps: ProxiedArrivalsDeps) {
    this.#deps = deps;
    for (const { address, prefixBits } of deps.from) this.#proxies.addSubnet(address, prefixBits, familyOf(address));
  }

  /** Whether any proxy is expected. */
  get areExpected(): boolean {
    return this.#deps.from.length > 0;
  }

  /** Who is at the other end of this socket. */
  addressOf(socket: Socket): string {
    return this.#named.get(socket) ?? peerAddress(socket);
  }

  /** Calls `accept` at once for a direct connection, and for one of a proxy when its header is read and taken off. */
  take(socket: Socket, accept: () => void): void {
    const { clock, deadlineMs, onRefused } = this.#deps;
    const proxy = peerAddress(socket);
    if (!this.areExpected || !this.#proxies.check(proxy, familyOf(proxy))) return accept();
    if (this.#waiting >= WAITING_MAX) {
      onRefused(proxy, "too many connections without their PROXY header");
      socket.destroy();
      return;
    }
    this.#waiting += 1;
    let gathered = Buffer.alloc(0);
    let isOver = false;
    const leave = () => {
      if (isOver) return;
      isOver = true;
      this.#waiting -= 1;
      deadline.cancel();
      socket.off("data", read).off("error", leave).off("end", gone).off("close", leave);
    };
    const refuse = (why: string) => {
      leave();
      onRefused(proxy, why);
      socket.destroy();
    };
    const gone = () => {
      leave();
      socket.destroy();
    };
    const read = (bytes: Buffer) => {
      gathered = Buffer.concat([gathered, bytes]);
      const header = readProxyHeader(gathered);
      if (header.kind === "more") return;
      if (header.kind === "wrong") return refuse(header.why);
      leave();
      socket.pause();
      if (gathered.length > header.length) socket.unshift(gathered.subarray(header.length));
      if (header.address !== undefined) this.#named.set(socket, plainAddress(header.address));
      accept();
    };
    const deadline = startDeadline(clock, deadlineMs, () => refuse("no PROXY header in time"));
    socket.on("data", read).on("error", leave).on("end", gone).on("close", leave);
  }
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}

import type { Socket } from "node:net";
import type { Clock } from "../../base/clock.ts";
import { OpenError, openTcp, openTls } from "../../egress/open-socket.ts";
import { TlsMemory } from "../../egress/tls-memory.ts";
import type { AddressPolicy } from "../../net/address-check.ts";
import { withOwnNames } from "../../net/dns/own-names.ts";
import { ResolveError, type Resolver } from "../../net/dns/resolver.ts";
import { type CheckedAddress, ForbiddenTargetError, resolveTarget } from "../../net/target-address.ts";
import { failureOf, PullFailure, pullError } from "./pull-errors.ts";

export type PullDialerDeps = {
  readonly clock: Clock;
  readonly resolver: Resolver;
  /** Which addresses are allowed: the rules of targets. Read again at each connection. */
  readonly policy: AddressPolicy;
  /** PEM certificates of authorities that may be used besides the usual ones; empty: none. */
  readonly extraCa: string;
};

export type Place = { readonly host: string; readonly port: number; readonly isTls: boolean };

/** Connects to sources, at checked addresses only. A name is looked up and checked again for each connection. */
export class PullDialer {
  readonly clock: Clock;
  readonly #resolver: Resolver;
  readonly #policy: AddressPolicy;
  readonly #tlsMemory: TlsMemory;

  constructor({ clock, resolver, policy, extraCa }: PullDialerDeps) {
    this.clock = clock;
    this.#resolver = resolver;
    this.#policy = withOwnNames(policy, resolver, clock);
    this.#tlsMemory = new TlsMemory(extraCa);
  }

  /**
   * Every address of the place that may be used, at least one.
   *
   * @throws PullFailure, or the signal's reason once it is aborted.
   */
  async addresses(
    { host, port }: Pick<Place, "host" | "port">,
    signal: AbortSignal,
  ): Promise<readonly [CheckedAddress, ...CheckedAddress[]]> {
    try {
      const [first, ...others] = await resolveTarget({ host, port }, this.#resolver, this.#policy, signal);
      if (first === undefined) throw new ResolveError("not-found", "no address");
      return [first, ...others];
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ForbiddenTargetError) throw new PullFailure(pullError("address-forbidden", error.reason));
      if (error instanceof ResolveError) throw new PullFailure(pullError("name-failed"), { cause: error });
      throw error;
    }
  }

  /**
   * An open connection, secured where the place says so.
   *
   * @throws PullFailure, or the signal's reason once it is aborted.
   */
  async open(place: Place, signal: AbortSignal): Promise<{ readonly socket: Socket; readonly address: string }> {
    const addresses = await this.addresses(place, signal);
    try {
      const { socket, checked } = await openTcp(addresses, this.clock, signal);
      const { address } = checked;
      if (!place.isTls) return { socket, address };
      // Sessions of a source are told apart by the name of its place: no target has such an ID.
      const trust = { tls: {}, memory: this.#tlsMemory, targetId: -1 };
      return { socket: await openTls(socket, checked, trust, this.clock, signal), address };
    } catch (error) {
      signal.throwIfAborted();
      throw error instanceof OpenError ? failureOf(error) : error;
    }
  }
}

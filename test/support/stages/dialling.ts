import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { Server, Socket } from "node:net";
import { onTestFinished } from "vitest";
import { type Clock, systemClock } from "../../../src/base/clock.ts";
import type { MachineTrouble } from "../../../src/base/system-errors.ts";
import { RtmpDialer } from "../../../src/egress/dialer.ts";
import type { DialTraceDeps } from "../../../src/egress/traces/dial-trace.ts";
import type { AddressPolicy } from "../../../src/net/address-check.ts";
import { parseCidrList } from "../../../src/net/cidr-list.ts";
import { ResolveError, type Resolver } from "../../../src/net/dns/resolver.ts";
import type { DirectSockets } from "../../../src/net/kernel/direct-sockets.ts";
import type { Link } from "../../../src/relay/subscriber/rtmp-push/link.ts";
import { KitTarget } from "../../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../../src/testkit/target/target-behaviour.ts";
import type { TargetSpec } from "../../../src/thread-protocol/channel-spec.ts";
import type { TargetError } from "../../../src/thread-protocol/targets/target-status.ts";

/** Every deadline comes ten times sooner: on a busy machine a step that has 50 ms misses them. */
export const fastClock: Clock = {
  ...systemClock,
  awakeNow: () => systemClock.now() * 10,
  startTimer: (delayMs, run) => systemClock.startTimer(delayMs / 10, run),
};

/** Loopback, where the tests' targets are. */
export const ALLOWED: AddressPolicy = { allowed: parseCidrList("127.0.0.0/8"), ownPorts: [], ownHosts: [] };

/** Resolves names as the test says, and addresses to themselves. */
export function resolverOf(names: Readonly<Record<string, readonly string[]>> = {}): Resolver {
  return {
    resolve: async (host) => {
      if (/^[\d.]+$/.test(host)) return [host];
      const addresses = names[host];
      if (addresses === undefined) throw new ResolveError("not-found", host);
      return addresses;
    },
  };
}

/** Listens on a free port until the test is over. */
export async function serve(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Runs a target of the fault kit until the test is over. */
export async function kitTarget(behaviour: TargetBehaviour = {}): Promise<KitTarget> {
  const target = await KitTarget.start({ behaviour });
  onTestFinished(() => target.close());
  return target;
}

type Outcome = { readonly publishing: number | undefined; readonly error: TargetError | undefined };

export type Dialled = {
  readonly link: Link;
  readonly dialer: RtmpDialer;
  /** Resolves at the first of: accepted, failed. */
  readonly outcome: Promise<Outcome>;
  /** Resolves when the link fails. */
  readonly closed: Promise<TargetError>;
};

export type DialOptions = {
  readonly isPresetHost?: boolean;
  readonly clock?: Clock;
  readonly policy?: AddressPolicy;
  readonly resolver?: Resolver;
  readonly streamKey?: string;
  readonly credentials?: TargetSpec["credentials"];
  readonly tls?: TargetSpec["tls"];
  readonly extraCa?: string;
  readonly onTrouble?: (trouble: MachineTrouble) => void;
  readonly takeDescriptor?: () => boolean;
  readonly onReconnectWanted?: (url: string | undefined) => void;
  readonly traces?: DialTraceDeps;
  readonly channelId?: string;
  readonly directSockets?: DirectSockets;
};

/** Dials as the relay does; the link is gone when the test is over. */
export function dial(url: string, options: DialOptions = {}): Dialled {
  return dialWith(dialerOf(options), url, options);
}

/** A dialer as the relay has it: its memory of TLS lasts from one dial to the next. */
export function dialerOf(options: DialOptions = {}): RtmpDialer {
  return new RtmpDialer({
    clock: options.clock ?? systemClock,
    randomBytes,
    resolver: options.resolver ?? resolverOf(),
    policy: options.policy ?? ALLOWED,
    onFault: (error) => {
      throw error;
    },
    ...(options.extraCa === undefined ? {} : { extraCa: options.extraCa }),
    ...(options.onTrouble === undefined ? {} : { onTrouble: options.onTrouble }),
    ...(options.takeDescriptor === undefined ? {} : { takeDescriptor: options.takeDescriptor }),
    ...(options.traces === undefined ? {} : { traces: options.traces }),
    ...(options.directSockets === undefined ? {} : { directSockets: options.directSockets }),
  });
}

/** Dials once more with the same dialer. */
export function dialWith(dialer: RtmpDialer, url: string, options: DialOptions = {}): Dialled {
  const { promise: outcome, resolve } = Promise.withResolvers<Outcome>();
  const { promise: closed, resolve: resolveClosed } = Promise.withResolvers<TargetError>();
  const link = dialer.dial(
    {
      targetId: 1,
      url,
      streamKey: options.streamKey ?? "the-key",
      isEnabled: true,
      ...(options.isPresetHost === undefined ? {} : { isPresetHost: options.isPresetHost }),
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      ...(options.tls === undefined ? {} : { tls: options.tls }),
    },
    {
      onPublishing: (publishing) => resolve({ publishing, error: undefined }),
      onDrained: () => undefined,
      ...(options.onReconnectWanted === undefined ? {} : { onReconnectWanted: options.onReconnectWanted }),
      onClosed: (error) => {
        resolve({ publishing: undefined, error });
        resolveClosed(error);
      },
    },
    options.channelId,
  );
  onTestFinished(() => link.close("abort"));
  return { link, dialer, outcome, closed };
}

/** The code and the severity a dial fails with. */
export async function failure(url: string, options: DialOptions = {}): Promise<string> {
  const { error } = await dial(url, options).outcome;
  return `${error?.code} ${error?.severity}`;
}

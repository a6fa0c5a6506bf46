import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../test/support/processes/free-port.ts";
import { waitFor } from "../../test/support/processes/waiting.ts";
import { Encoders } from "./encoders.ts";
import type { NativeTools } from "./native-tools.ts";
import type { Relay, RunningRelay } from "./relay.ts";
import { Sink } from "./sink.ts";
import { pinTo } from "./usage.ts";

const CONNECT_DEADLINE_MS = 60_000;
/** Connections whose frames are checked, by default. */
const WATCHED_MAX = 20;

/** The load that one relay is measured with. */
export type Scenario = {
  readonly fanOut: number;
  readonly channelCount: number;
  readonly isTls: boolean;
  /** How many times real time the encoders send. */
  readonly speed: number;
  /** Every target joins at a time of its own, in the middle of the stream; absent: all at its start. */
  readonly isApart?: boolean;
  /** Media is to leave at once, by relays that have the choice. */
  readonly isQuick?: boolean;
};

export type LoadConditions = {
  readonly tools: NativeTools;
  readonly clip: string;
  /** What the sink compares with, where that is not the clip: a test of the sink. */
  readonly comparedWith?: string;
  /** Cores: the relay has one, encoders and sink the other. Absent: the machine has only one. */
  readonly cores: { readonly relay: number; readonly load: number } | undefined;
  readonly tls: { readonly certificate: string; readonly key: string; readonly authority: string } | undefined;
  readonly watchedMax?: number;
  /** Where the sink runs; absent: here, and everything goes over loopback. */
  readonly network?: { readonly host: string; readonly wrapper: readonly string[] } | undefined;
  /** The encoders send so many rounds of the clip from when they may end; absent: they go on. */
  readonly rounds?: number;
};

/** A relay, the encoders that feed it and the sink that takes what it sends. */
export type Load = {
  readonly relay: RunningRelay;
  readonly pids: readonly number[];
  readonly encoders: Encoders;
  readonly sink: Sink;
  close(): Promise<void>;
};

/** Starts a relay and feeds it; it is under load once every target gets media. */
export async function startLoad(relay: Relay, scenario: Scenario, conditions: LoadConditions): Promise<Load> {
  const { tools, clip, comparedWith = clip, cores, tls, watchedMax = WATCHED_MAX, rounds, network } = conditions;
  const { fanOut, channelCount, isTls, speed, isQuick = false } = scenario;
  const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const each of closers.splice(0).reverse()) await each();
  };
  try {
    const place = `${network?.host ?? "127.0.0.1"}:${await freePort()}`;
    const own = {
      ...(isTls && tls !== undefined ? { tls } : {}),
      ...(network === undefined ? {} : { wrapper: network.wrapper }),
    };
    const sink = await Sink.start({ program: tools.sink, place, clip: comparedWith, watchedMax, ...own });
    closers.push(() => sink.stop());
    const authority = isTls ? tls?.authority : undefined;
    const running = await relay.start({ channelCount, fanOut, sink: place, isTls, isQuick, folder, tools, authority });
    closers.push(() => running.stop());
    const pids = await running.pids();
    if (cores !== undefined) for (const pid of pids) await pinTo(cores.relay, pid);
    if (cores !== undefined) await pinTo(cores.load, sink.pid);
    const { ingests } = running;
    const encoders = await Encoders.start({ program: tools.encoder, clip, speed, rounds, ingests });
    closers.push(() => encoders.stop());
    if (cores !== undefined) await pinTo(cores.load, encoders.pid);
    await waitFor(`${channelCount * fanOut} targets to be fed by ${relay.name}`, CONNECT_DEADLINE_MS, async () => {
      encoders.expectWell();
      const { accepted } = await sink.stats();
      return accepted >= channelCount * fanOut ? true : undefined;
    });
    if (scenario.isApart === true) {
      await running.rejoin?.();
      await waitFor("all targets to be back", CONNECT_DEADLINE_MS, async () => {
        const { publishing } = await sink.stats();
        return publishing === channelCount * fanOut ? true : undefined;
      });
    }
    return { relay: running, pids, encoders, sink, close };
  } catch (error) {
    await close();
    throw error;
  }
}

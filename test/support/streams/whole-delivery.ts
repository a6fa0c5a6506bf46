import type { SentTotals } from "../../../bench/relay-cost/encoders.ts";
import { fanfareWith } from "../../../bench/relay-cost/fanfare-relay.ts";
import { type Load, type LoadConditions, type Scenario, startLoad } from "../../../bench/relay-cost/load.ts";
import type { NativeTools } from "../../../bench/relay-cost/native-tools.ts";
import type { SinkStats } from "../../../bench/relay-cost/sink.ts";
import { ROOT } from "../processes/fanfare-process.ts";
import { waitFor } from "../processes/waiting.ts";

const FAREWELL_DEADLINE_MS = 20_000;
/** More than any test has. */
const ALL_CONNECTIONS = 60_000;

export type DeliveryOptions = Partial<Pick<Scenario, "speed">> &
  Pick<Scenario, "fanOut" | "channelCount"> & {
    readonly tools: NativeTools;
    readonly clip: string;
    /** How often each channel's encoder sends the clip from when every target gets media and `during` is over. */
    readonly rounds: number;
    /** Targets behind TLS. */
    readonly tls?: LoadConditions["tls"];
    /** Environment variables of the server. */
    readonly environment?: Readonly<Record<string, string>>;
    /** Runs meanwhile, from when every target gets media. */
    readonly during?: (load: Load) => Promise<void>;
  };

/** What the encoders sent, and what the connections that were read to the end got. */
export type Delivery = { readonly sent: SentTotals; readonly got: SinkStats };

/** Runs real encoders, the server and a sink that compares everything, until each encoder has ended and each target was left. */
export async function deliver(options: DeliveryOptions): Promise<Delivery> {
  const { tools, clip, rounds, fanOut, channelCount, speed = 1, tls, environment = {}, during } = options;
  const scenario = { fanOut, channelCount, speed, isTls: tls !== undefined };
  const conditions = { tools, clip, rounds, cores: undefined, tls, watchedMax: ALL_CONNECTIONS };
  const load = await startLoad(fanfareWith(environment, ROOT, "bundle"), scenario, conditions);
  try {
    await during?.(load);
    load.encoders.mayEnd();
    const sent = await load.encoders.finished();
    const got = await waitFor("all targets to be left", FAREWELL_DEADLINE_MS, async () => {
      const stats = await load.sink.stats();
      return stats.readers === 0 ? stats : undefined;
    });
    return { sent, got };
  } finally {
    await load.close();
  }
}

/**
 * Everything that is not right: right is every frame, once, whole, in order, at its time, after its headers, on so many
 * connections.
 */
export function faultsOf({ sent, got }: Delivery, connections: number): string[] {
  const { videoFrames, audioFrames, earlyAudioFrames } = sent;
  const wanted = {
    ...{ videoLeast: videoFrames, videoMost: videoFrames },
    ...{ audioLeast: audioFrames - earlyAudioFrames, audioMost: audioFrames - earlyAudioFrames },
  };
  return [...differences(got, wanted), ...faultsBehindFirst({ sent, got }, connections)];
}

/** … from the keyframe that a connection began with on: a target that was not there at the start begins with the next. */
export function faultsBehindFirst({ sent, got }: Delivery, connections: number): string[] {
  const wanted = {
    ...{ connections, wrong: 0, missing: 0, displaced: 0, headless: 0 },
    ...{ nextVideoLeast: sent.videoFrames, nextAudioLeast: sent.audioFrames },
  };
  return [...(sent.videoFrames > 0 ? [] : ["nothing was sent"]), ...differences(got, wanted)];
}

function differences(got: SinkStats, wanted: Partial<SinkStats>): string[] {
  return Object.entries(wanted).flatMap(([name, value]) => {
    const there = got[name as keyof SinkStats];
    return there === value ? [] : [`${name}: ${there}, not ${value}`];
  });
}

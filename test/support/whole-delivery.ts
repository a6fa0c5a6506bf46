import { expect } from "vitest";
import type { SentTotals } from "../../bench/relay-cost/encoders.ts";
import { fanfareWith } from "../../bench/relay-cost/fanfare-relay.ts";
import { type Load, type LoadConditions, type Scenario, startLoad } from "../../bench/relay-cost/load.ts";
import type { NativeTools } from "../../bench/relay-cost/native-tools.ts";
import type { SinkStats } from "../../bench/relay-cost/sink.ts";
import { waitFor } from "./waiting.ts";

const FAREWELL_DEADLINE_MS = 20_000;
/** More than any test has. */
const ALL_CONNECTIONS = 60_000;

export type DeliveryOptions = Partial<Pick<Scenario, "speed">> &
  Pick<Scenario, "fanOut" | "channelCount"> & {
    readonly tools: NativeTools;
    readonly clip: string;
    /** How often each channel's encoder sends the clip before it ends its stream. */
    readonly rounds: number;
    /** Targets behind TLS. */
    readonly tls?: LoadConditions["tls"];
    /** Variables of the server. */
    readonly environment?: Readonly<Record<string, string>>;
    /** What happens meanwhile, from when every target is fed on. */
    readonly during?: (load: Load) => Promise<void>;
  };

/** What the encoders sent, and what the connections that were read to the end were given. */
export type Delivery = { readonly sent: SentTotals; readonly got: SinkStats };

/** Runs real encoders, the server and a sink that compares everything, until each encoder has ended and each target was left. */
export async function deliver(options: DeliveryOptions): Promise<Delivery> {
  const { tools, clip, rounds, fanOut, channelCount, speed = 1, tls, environment = {}, during } = options;
  const scenario = { fanOut, channelCount, speed, isTls: tls !== undefined };
  const conditions = { tools, clip, rounds, cores: undefined, tls, watchedMax: ALL_CONNECTIONS };
  const load = await startLoad(fanfareWith(environment), scenario, conditions);
  try {
    await during?.(load);
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

/** Every frame from the first one to the last on so many connections: whole, once, in order, at its time, behind its headers. */
export function expectAllOf({ sent, got }: Delivery, connections: number): void {
  expectNothingAmiss({ sent, got }, connections);
  const { pictures, sounds, earlySounds } = sent;
  const { picturesLeast, picturesMost, soundsLeast, soundsMost } = got;
  expect({ picturesLeast, picturesMost, soundsLeast, soundsMost }).toEqual({
    picturesLeast: pictures,
    picturesMost: pictures,
    soundsLeast: sounds - earlySounds,
    soundsMost: sounds - earlySounds,
  });
}

/** … from the keyframe that a connection began with to the last frame. */
export function expectNothingAmiss({ sent, got }: Delivery, connections: number): void {
  const { wrong, missing, displaced, headless, nextPictureLeast, nextSoundLeast } = got;
  expect(sent.pictures).toBeGreaterThan(0);
  expect({
    connections: got.connections,
    wrong,
    missing,
    displaced,
    headless,
    nextPictureLeast,
    nextSoundLeast,
  }).toEqual({
    ...{ connections, wrong: 0, missing: 0, displaced: 0, headless: 0 },
    ...{ nextPictureLeast: sent.pictures, nextSoundLeast: sent.sounds },
  });
}

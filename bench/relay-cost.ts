import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeClip } from "../test/support/clip.ts";
import { fanfareRelay } from "./relay-cost/fanfare-relay.ts";
import { ffmpegRelay } from "./relay-cost/ffmpeg-relay.ts";
import { floorRelay } from "./relay-cost/floor-relay.ts";
import { type Measurement, measure } from "./relay-cost/measurement.ts";
import { buildNativeTools } from "./relay-cost/native-tools.ts";
import { nginxRelay } from "./relay-cost/nginx-relay.ts";

/**
 * What relaying a gigabyte costs, Fanfare beside others on the same machine in the same minutes: README.md in this folder.
 */
const RELAYS = [fanfareRelay, nginxRelay, floorRelay, ffmpegRelay];
const { values } = parseArgs({
  options: {
    "fan-out": { type: "string", default: "1,5,20,100" },
    relays: { type: "string", default: "fanfare,nginx-rtmp,c-floor" },
    outputs: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    speed: { type: "string", default: "1" },
  },
});

const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
try {
  const tools = await buildNativeTools(folder);
  const { path: clip } = await makeClip({ seconds: 10, kilobits: 6_000, size: "1280x720" });
  const cores = availableParallelism() > 1 ? { relay: 0, load: 1 } : undefined;
  const windowSeconds = Number(values.seconds);
  const relays = RELAYS.filter(({ name }) => values.relays.split(",").includes(name));
  for (const fanOut of values["fan-out"].split(",").map(Number)) {
    const channelCount = Math.max(1, Math.round(Number(values.outputs) / fanOut));
    const all = new Map<string, Measurement[]>();
    for (let round = 0; round < Number(values.rounds); round += 1) {
      for (const relay of relays) {
        const scenario = { fanOut, channelCount, isTls: false, speed: Number(values.speed) };
        const one = await measure(relay, scenario, {
          tools,
          clip,
          settleSeconds: 3,
          windowSeconds,
          cores,
          tls: undefined,
        });
        all.set(relay.name, [...(all.get(relay.name) ?? []), one]);
        process.stdout.write(`${JSON.stringify({ relay: relay.name, ...scenario, ...one })}\n`);
      }
    }
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { makeCertificate } from "./relay-cost/certificate.ts";
import { chartSvg } from "./relay-cost/chart.ts";
import { fanfareRelay, fanfareWith } from "./relay-cost/fanfare-relay.ts";
import { ffmpegRelay } from "./relay-cost/ffmpeg-relay.ts";
import { floorRelay } from "./relay-cost/floor-relay.ts";
import type { Scenario } from "./relay-cost/load.ts";
import { type Conditions, type Measurement, measure } from "./relay-cost/measurement.ts";
import { buildNativeTools } from "./relay-cost/native-tools.ts";
import { nginxRelay } from "./relay-cost/nginx-relay.ts";
import { nodeMediaServerRelay } from "./relay-cost/node-media-server-relay.ts";
import type { Relay } from "./relay-cost/relay.ts";
import { reportText, type Series } from "./relay-cost/report.ts";

/**
 * Measures what relaying a gigabyte costs, Fanfare beside other servers on the same machine in the same minutes:
 * README.md in this folder.
 */
const RELAYS = [fanfareRelay, nginxRelay, floorRelay, nodeMediaServerRelay, ffmpegRelay];
/** Long enough for relays that compile while running, as JavaScript does; a relay runs for hours. */
const SETTLE_SECONDS = 20;
const SETTLE_SECONDS_SHORT = 3;

const { values } = parseArgs({
  options: {
    "fan-out": { type: "string", default: "1,5,20,100" },
    relays: { type: "string", default: RELAYS.map(({ name }) => name).join(",") },
    outputs: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    speed: { type: "string", default: "1" },
    /** Targets behind TLS; of the peers only FFmpeg speaks it. */
    tls: { type: "boolean", default: false },
    /** Fanfare also with targets that all joined at different times. */
    apart: { type: "boolean", default: false },
    /** Channels whose `latency` is `low`, of Fanfare. */
    quick: { type: "boolean", default: false },
    /** Another checkout of Fanfare, measured in turn with this one as `fanfare-before`. */
    against: { type: "string" },
    /** Under 3 minutes: against nginx-rtmp and the floor, fewer outputs; writes no file. */
    short: { type: "boolean", default: false },
    /** The path of the result, without its extension; none with `--short`. */
    out: { type: "string", default: join(ROOT, "docs", "results", "relay-cost") },
  },
});
const isShort = values.short;
const rounds = isShort ? 2 : Number(values.rounds);
const outputs = isShort ? 60 : Number(values.outputs);
const windowSeconds = isShort ? 4 : Number(values.seconds);
const fanOuts = (isShort ? "5,20" : values["fan-out"]).split(",").map(Number);
const names = (isShort ? "fanfare,nginx-rtmp,c-floor" : values.relays).split(",");

async function measureInTurn(relays: readonly Relay[], scenario: Scenario, conditions: Conditions): Promise<Series[]> {
  const windows = new Map<Relay, Measurement[]>(relays.map((relay) => [relay, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const [relay, taken] of windows) {
      const one = await measure(relay, scenario, conditions);
      taken.push(one);
      process.stdout.write(`${JSON.stringify({ relay: relay.name, ...scenario, ...one })}\n`);
    }
  }
  return [...windows].map(([relay, taken]) => ({ relay: relay.name, scenario, windows: taken }));
}

async function main(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
  try {
    const tools = await buildNativeTools(folder);
    const { path: clip } = await makeClip({ seconds: 10, kilobits: 6_000, size: "1280x720" });
    if (values.tls && !tools.hasTls) throw new Error("the sink needs OpenSSL's headers for TLS: libssl-dev");
    const tls = values.tls ? await makeCertificate(folder) : undefined;
    const cores = availableParallelism() > 1 ? { relay: 0, load: 1 } : undefined;
    const conditions = {
      tools,
      clip,
      settleSeconds: isShort ? SETTLE_SECONDS_SHORT : SETTLE_SECONDS,
      windowSeconds,
      cores,
      tls,
    };
    const before = values.against === undefined ? [] : [fanfareWith({}, resolve(values.against))];
    const chosen = [...RELAYS.filter(({ name, canTls }) => names.includes(name) && (canTls || !values.tls)), ...before];
    // A copy of what runs: the sources may change while it lasts.
    const versions = await Promise.all(chosen.map((relay) => relay.version()));
    const [loadBefore = 0] = loadavg();
    const all: Series[] = [];
    for (const fanOut of fanOuts) {
      const channelCount = Math.max(1, Math.round(outputs / fanOut));
      const scenario = { fanOut, channelCount, isTls: values.tls, speed: Number(values.speed), isQuick: values.quick };
      const able = chosen.filter(({ channelsMax }) => channelCount <= channelsMax);
      all.push(...(await measureInTurn(able, scenario, conditions)));
      if (!values.apart) continue;
      all.push(...(await measureInTurn([fanfareRelay], { ...scenario, isApart: true }, conditions)));
    }
    const [loadAfter = 0] = loadavg();
    const text = reportText(all, {
      versions,
      windowSeconds,
      isPinned: cores !== undefined,
      load: [loadBefore, loadAfter],
      command: `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(" ")}` : ""}`,
      chart: `${basename(values.out)}.svg`,
    });
    process.stdout.write(text);
    if (isShort) return;
    await writeFile(`${values.out}.md`, text);
    await writeFile(`${values.out}.svg`, chartSvg(all));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await main();

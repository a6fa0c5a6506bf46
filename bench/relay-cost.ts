import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { NetworkNamespace } from "../test/support/processes/network-namespace.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { makeCertificate } from "./relay-cost/certificate.ts";
import { chartSvg } from "./relay-cost/chart.ts";
import { fanfareRelay, fanfareWith } from "./relay-cost/fanfare-relay.ts";
import { ffmpegRelay } from "./relay-cost/ffmpeg-relay.ts";
import { floorRelay } from "./relay-cost/floor-relay.ts";
import type { Scenario } from "./relay-cost/load.ts";
import { type Conditions, type Measurement, measure } from "./relay-cost/measurement.ts";
import { buildNativeTools } from "./relay-cost/native-tools.ts";
import { nginxRelay, nginxStunnelRelay } from "./relay-cost/nginx-relay.ts";
import { nodeMediaServerRelay } from "./relay-cost/node-media-server-relay.ts";
import type { Relay } from "./relay-cost/relay.ts";
import { reportText, type Series } from "./relay-cost/report.ts";
import { srsRelay } from "./relay-cost/srs-relay.ts";

/**
 * Measures what relaying a gigabyte costs, Fanfare beside other servers on the same machine in the same minutes:
 * README.md in this folder.
 */
const RELAYS = [fanfareRelay, nginxRelay, floorRelay, nodeMediaServerRelay, ffmpegRelay];
/** Long enough for relays that compile while running, as JavaScript does; a relay runs for hours. */
const SETTLE_SECONDS = 20;
const SETTLE_SECONDS_SHORT = 3;
/** Below this rate 720p would not come near it. */
const LOW_KILOBITS = 2_000;

const { values } = parseArgs({
  options: {
    "fan-out": { type: "string", default: "1,5,20,100" },
    /** `nginx-stunnel` too, with `--tls`. */
    relays: { type: "string", default: RELAYS.map(({ name }) => name).join(",") },
    outputs: { type: "string", default: "200" },
    seconds: { type: "string", default: "10" },
    rounds: { type: "string", default: "3" },
    speed: { type: "string", default: "1" },
    /** The video's bitrate. */
    kilobits: { type: "string", default: "6000" },
    /** The relay's threads, encoders and sink run on any core. */
    free: { type: "boolean", default: false },
    /** How long each relay runs before a window. */
    settle: { type: "string", default: String(SETTLE_SECONDS) },
    /** SRS's binary, which is measured too. */
    srs: { type: "string" },
    /** The sink in a network namespace of its own, behind a pair of virtual interfaces, not on loopback. Needs root. */
    veth: { type: "boolean", default: false },
    /** Targets behind TLS, for the relays that can. */
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
  const closers = [() => rm(folder, { recursive: true, force: true })];
  try {
    const tools = await buildNativeTools(folder);
    const { path: clip } = await makeClip({
      ...{ seconds: 10, kilobits: Number(values.kilobits) },
      size: Number(values.kilobits) < LOW_KILOBITS ? "640x360" : "1280x720",
    });
    if (values.tls && !tools.hasTls) throw new Error("the sink needs OpenSSL's headers for TLS: libssl-dev");
    const cores = !values.free && availableParallelism() > 1 ? { relay: 0, load: 1 } : undefined;
    const network = values.veth ? await NetworkNamespace.open(0) : undefined;
    closers.push(async () => await network?.close());
    await network?.asCard(cores?.load);
    const tls = values.tls ? await makeCertificate(folder, network?.host) : undefined;
    const conditions = {
      tools,
      clip,
      settleSeconds: isShort ? SETTLE_SECONDS_SHORT : Number(values.settle),
      windowSeconds,
      cores,
      tls,
      network,
    };
    const before = values.against === undefined ? [] : [fanfareWith({}, resolve(values.against))];
    const known = values.tls ? [...RELAYS, nginxStunnelRelay] : RELAYS;
    const named = known.filter(({ name }) => names.includes(name));
    const others = values.srs === undefined ? [] : [srsRelay(resolve(values.srs))];
    const chosen = [...[...named, ...others].filter(({ canTls }) => canTls || !values.tls), ...before];
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
      isVeth: values.veth,
      kilobits: Number(values.kilobits),
      load: [loadBefore, loadAfter],
      command: `npm run bench${process.argv.length > 2 ? ` -- ${process.argv.slice(2).join(" ")}` : ""}`,
      chart: `${basename(values.out)}.svg`,
    });
    process.stdout.write(text);
    if (isShort) return;
    await writeFile(`${values.out}.md`, text);
    await writeFile(`${values.out}.svg`, chartSvg(all));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

await main();

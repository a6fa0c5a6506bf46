import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { machineRows, table } from "../test/soak/machine.ts";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { fanfareWith } from "./relay-cost/fanfare-relay.ts";
import { startLoad } from "./relay-cost/load.ts";
import { buildNativeTools } from "./relay-cost/native-tools.ts";
import type { SinkStats } from "./relay-cost/sink.ts";
import type { AllocationSite } from "./server-probe/allocation-sites.ts";
import { ServerProbe } from "./server-probe/probe.ts";
import type { ThreadProfile } from "./server-probe/protocol.ts";

/** Measures what the media thread allocates while it relays, by function: README.md in this folder. */
const SITES_SHOWN = 25;
const SETTLE_MS = 5_000;
const KB = 1_000;
const MB = 1_000_000;

const { values } = parseArgs({
  options: {
    "fan-out": { type: "string", default: "20" },
    channels: { type: "string", default: "10" },
    kilobits: { type: "string", default: "6000" },
    seconds: { type: "string", default: "10" },
    /** Prints the result and writes no file. */
    dry: { type: "boolean", default: false },
  },
});
const fanOut = Number(values["fan-out"]);
const channelCount = Number(values.channels);

function placeOf({ place }: AllocationSite): string {
  if (place === "") return "V8";
  return place.startsWith("file:") ? relative(ROOT, fileURLToPath(place)) : place;
}

function report({ seconds, sites, bufferBytes }: ThreadProfile, before: SinkStats, after: SinkStats): string {
  const rate = (bytes: number) => (bytes / seconds / KB).toFixed(0);
  const elapsed = (after.atUs - before.atUs) / 1e6;
  const total = sites.reduce((sum, { bytes }) => sum + bytes, 0);
  const framesSent = (after.whole - before.whole) / (after.connections * elapsed);
  const perFrame = total / seconds / (framesSent * channelCount);
  const rows = sites
    .slice(0, SITES_SHOWN)
    .map((site): [string, string] => [rate(site.bytes), `\`${site.name}\` ${placeOf(site)}`]);
  const buffers = Object.entries(bufferBytes).map(([name, bytes]): [string, string] => [
    rate(bytes),
    `\`Buffer.${name}\``,
  ]);
  return `# What the media thread allocates

\`npm run bench:allocations\`, ${new Date().toISOString().slice(0, 10)}: ${channelCount} channels of ${Number(values.kilobits) / KB} Mbit/s to ${fanOut} targets each, ${((after.bytes - before.bytes) / elapsed / MB).toFixed(0)} MB/s in all; V8's sampling heap profile of the media
thread over ${seconds.toFixed(0)} s, including objects that were collected meanwhile. In all ${rate(total)} kB/s on V8's heap: **${(perFrame / KB).toFixed(1)} kB for each frame that an
encoder sent**, or ${(perFrame / fanOut).toFixed(0)} bytes for each frame and target.

${table(["kB/s", "allocated by"], rows)}

Memory for buffers is outside that heap. Requests to \`Buffer\` (without the buffers that sockets read into):

${table(["kB/s", "requested from"], buffers)}

${table(["machine", ""], machineRows())}
`;
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
try {
  const tools = await buildNativeTools(folder);
  const { path: clip } = await makeClip({ seconds: 10, kilobits: Number(values.kilobits), size: "1280x720" });
  const probe = await ServerProbe.in(folder);
  const scenario = { fanOut, channelCount, isTls: false, speed: 1 };
  const conditions = { tools, clip, cores: undefined, tls: undefined };
  const load = await startLoad(fanfareWith(probe.environment), scenario, conditions);
  try {
    await delay(SETTLE_MS);
    const before = await load.sink.stats();
    const profile = await probe.profile("media", Number(values.seconds));
    const text = report(profile, before, await load.sink.stats());
    process.stdout.write(text);
    if (!values.dry) await writeFile(join(ROOT, "docs", "results", "allocations.md"), text);
  } finally {
    await load.close();
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

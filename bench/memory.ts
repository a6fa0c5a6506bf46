import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { machineRows, table } from "../test/soak/machine.ts";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { freePort } from "../test/support/processes/free-port.ts";
import { makeClip } from "../test/support/streams/clip.ts";
import { fanfareWith } from "./relay-cost/fanfare-relay.ts";
import { type Load, startLoad } from "./relay-cost/load.ts";
import { buildNativeTools, type NativeTools } from "./relay-cost/native-tools.ts";
import { residentMb } from "./relay-cost/usage.ts";
import { ServerProbe, type ThreadMemory } from "./server-probe/probe.ts";

/**
 * Measures the server's memory: idle, under load, for each idle channel, and with targets that stop reading. README.md
 * in this folder.
 */
const MB = 1_000_000;
const OUTPUTS_MAX_MB = 60;
const IDLE_CHANNEL_MAX_MB = 0.1;
const WIDE_MAX_MB = 300;
/** Beyond its group of pictures. */
const LIVE_CHANNEL_MAX_MB = 2;
/** A clip's group of pictures lasts 2 s; of all that lie in memory at one time, half of one on average. */
const GOP_SECONDS_MEAN = 1;
const STUCK_LOOKS = [5_000, 10_000, 10_000];

const { values } = parseArgs({
  options: {
    kilobits: { type: "string", default: "6000" },
    channels: { type: "string", default: "10" },
    "fan-out": { type: "string", default: "20" },
    "idle-channels": { type: "string", default: "1000" },
    "low-channels": { type: "string", default: "200" },
    /** Channels on air with one target each. */
    "wide-channels": { type: "string", default: "100" },
    /** How long each state lasts before it is measured. */
    seconds: { type: "string", default: "20" },
    /** Writes heap snapshots of both threads under load into this folder. */
    snapshots: { type: "string" },
    /** Prints the result and writes no file. */
    dry: { type: "boolean", default: false },
  },
});
const settleMs = Number(values.seconds) * 1_000;
const channelCount = Number(values.channels);
const fanOut = Number(values["fan-out"]);
const idleCount = Number(values["idle-channels"]);
const lowCount = Number(values["low-channels"]);
const wideCount = Number(values["wide-channels"]);

/** Resident memory as it is, then what each thread holds after a collection. */
type State = { readonly residentMb: number; readonly media: ThreadMemory; readonly control: ThreadMemory };

/** What `npm run build` made: sources that run unbuilt take 30 MB more. */
const asInstalled = (probe: ServerProbe) => fanfareWith(probe.environment, ROOT, "dist");

async function look(pids: readonly number[], probe: ServerProbe): Promise<State> {
  // First: the collection that shows what is held would change it.
  const resident = await residentMb(pids);
  return { residentMb: resident, media: await probe.memory("media"), control: await probe.memory("control") };
}

/** Idle channels; none at all is the idle server. */
async function withoutEncoders(folder: string, count: number, tools: NativeTools): Promise<State> {
  const own = await mkdtemp(join(folder, "idle-"));
  const probe = await ServerProbe.in(own);
  const task = {
    channelCount: count,
    fanOut: 3,
    isTls: false,
    isQuick: false,
    folder: own,
    tools,
    authority: undefined,
  };
  const running = await asInstalled(probe).start({ ...task, sink: `127.0.0.1:${await freePort()}` });
  try {
    await delay(settleMs);
    return await look(await running.pids(), probe);
  } finally {
    await running.stop();
  }
}

type LoadOptions = { readonly channelCount: number; readonly fanOut: number; readonly clip: string };

/** Channels on air; `next` goes on with what was started. */
async function underLoad<T>(
  folder: string,
  tools: NativeTools,
  { clip, ...size }: LoadOptions,
  next: (load: Load, probe: ServerProbe) => Promise<T>,
): Promise<T> {
  const probe = await ServerProbe.in(folder);
  const scenario = { ...size, isTls: false, speed: 1 };
  const load = await startLoad(asInstalled(probe), scenario, {
    tools,
    clip,
    cores: undefined,
    tls: undefined,
  });
  try {
    await delay(settleMs);
    return await next(load, probe);
  } finally {
    await load.close();
  }
}

type StuckStates = { readonly flowing: State; readonly stuck: readonly State[] };

async function whileStuck(load: Load, probe: ServerProbe): Promise<StuckStates> {
  const flowing = await look(load.pids, probe);
  if (values.snapshots !== undefined) {
    for (const thread of ["media", "control"] as const) {
      await probe.snapshot(thread, join(values.snapshots, `${thread}.heapsnapshot`));
    }
  }
  await load.sink.stick(2);
  const stuck: State[] = [];
  for (const waitMs of STUCK_LOOKS) {
    await delay(waitMs);
    stuck.push(await look(load.pids, probe));
  }
  return { flowing, stuck };
}

const shown = (bytes: number) => (bytes / MB).toFixed(1);

function row(name: string, { residentMb: resident, media, control }: State): string {
  const cells = [name, resident.toFixed(0), shown(media.heapUsed), shown(media.arrayBuffers), shown(control.heapUsed)];
  return `| ${[...cells, shown(control.arrayBuffers)].join(" | ")} |`;
}

type Result = {
  readonly idle: State;
  readonly channels: State;
  readonly onAir: State;
  readonly wide: State;
  readonly gopMb: number;
  readonly loaded: StuckStates;
};

function report({ idle, channels, onAir, wide, gopMb, loaded }: Result): string {
  const above = loaded.flowing.residentMb - idle.residentMb;
  const perChannel = (channels.residentMb - idle.residentMb) / idleCount;
  const perSource = (onAir.residentMb - idle.residentMb) / lowCount;
  const perLive = (wide.residentMb - idle.residentMb) / wideCount - gopMb;
  const grown = Math.max(...loaded.stuck.map((state) => state.residentMb)) - loaded.flowing.residentMb;
  const outputs = channelCount * fanOut;
  const met = (isMet: boolean) => (isMet ? "met" : "not met");
  return `# What memory the server takes

\`npm run bench:memory\`, ${new Date().toISOString().slice(0, 10)}. Resident memory of the whole process after ${values.seconds} s; and what each thread still holds after a garbage collection: V8's
heap, and buffers outside of it. In MB. The stream: H.264 at ${Number(values.kilobits) / 1_000} Mbit/s and AAC.

| state | resident | media: heap | media: buffers | control: heap | control: buffers |
|---|---|---|---|---|---|
${row("idle, no channel", idle)}
${row(`${idleCount} idle channels of 3 targets`, channels)}
${row(`${lowCount} channels on air at a low rate, 1 target each`, onAir)}
${row(`${wideCount} channels on air, 1 target each`, wide)}
${row(`${channelCount} channels on air, ${fanOut} targets each`, loaded.flowing)}
${loaded.stuck.map((state, index) => row(`… half of the targets read nothing, after ${STUCK_LOOKS.slice(0, index + 1).reduce((sum, each) => sum + each, 0) / 1_000} s`, state)).join("\n")}

- ${outputs} outputs of ${fanOut}-fold fan-out: ${above.toFixed(0)} MB above the idle server, limit ${OUTPUTS_MAX_MB}: **${met(above <= OUTPUTS_MAX_MB)}**
- a further idle channel: ${perChannel.toFixed(3)} MB, limit ${IDLE_CHANNEL_MAX_MB}: **${met(perChannel <= IDLE_CHANNEL_MAX_MB)}**; one on air at a low rate, with one target: ${perSource.toFixed(3)} MB
- ${wideCount} channels on air with one target each: ${wide.residentMb.toFixed(0)} MB, limit ${WIDE_MAX_MB}: **${met(wide.residentMb <= WIDE_MAX_MB)}**; beyond its group of pictures (${gopMb.toFixed(2)} MB on average) each takes ${perLive.toFixed(2)} MB, limit ${LIVE_CHANNEL_MAX_MB}: **${met(perLive <= LIVE_CHANNEL_MAX_MB)}**
- half of the targets stuck: ${grown.toFixed(0)} MB more at most, where ${outputs / 2} queues of 16 MiB may wait in ${channelCount} channels; what waits is stored once for all of them

${table(["machine", ""], machineRows())}
`;
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
try {
  const tools = await buildNativeTools(folder);
  const { path: clip, bytesPerSecond } = await makeClip({
    seconds: 10,
    kilobits: Number(values.kilobits),
    size: "1280x720",
  });
  const low = { seconds: 4, kilobits: 100, size: "160x120", framesPerSecond: 5, sampleRate: 8_000 };
  const { path: lowClip } = await makeClip(low);
  const idle = await withoutEncoders(folder, 0, tools);
  const channels = await withoutEncoders(folder, idleCount, tools);
  const onAir = await underLoad(
    folder,
    tools,
    { channelCount: lowCount, fanOut: 1, clip: lowClip },
    ({ pids }, probe) => look(pids, probe),
  );
  const wide = await underLoad(folder, tools, { channelCount: wideCount, fanOut: 1, clip }, ({ pids }, probe) =>
    look(pids, probe),
  );
  const gopMb = (bytesPerSecond * GOP_SECONDS_MEAN) / MB;
  const loaded = await underLoad(folder, tools, { channelCount, fanOut, clip }, whileStuck);
  const text = report({ idle, channels, onAir, wide, gopMb, loaded });
  process.stdout.write(text);
  if (!values.dry) await writeFile(join(ROOT, "docs", "results", "memory.md"), text);
} finally {
  await rm(folder, { recursive: true, force: true });
}

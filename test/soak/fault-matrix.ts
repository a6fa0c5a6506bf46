import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import { syntheticClip } from "../../src/testkit/encoder/clip.ts";
import { KitEncoder } from "../../src/testkit/encoder/encoder.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { NetworkNamespace } from "../support/processes/network-namespace.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { MATRIX_FAULTS } from "./matrix/matrix-faults.ts";
import { MatrixNeighbour } from "./matrix/matrix-neighbour.ts";
import { judgeRow, type MatrixRow, matrixReport, rowText } from "./matrix/matrix-report.ts";
import { MatrixTarget, TARGET_KINDS, type TargetKind } from "./matrix/matrix-target.ts";
import { programOptions } from "./program-options.ts";
import { ChannelHistory, type StatusHistory } from "./streams/status-history.ts";

const USAGE = `usage: npm run fault-matrix -- [--targets nginx|kit|both] [--only TEXT] [--write] [--note TEXT]

A stream to a target for each fault of a network, each in a network namespace of its own, and to a healthy one beside them. Linux, as root. Ends with 1 where
anything is not as promised. --only: faults with this text in their name. --write puts the result into docs/results/fault-matrix.md.
`;
/** Video; the audio adds a few. */
const KILOBITS = 470;
const CALM_MS = 15_000;
/** The longest fault, 75 s, and 35 s to come back in. */
const WATCHED_MS = 110_000;
const ON_AIR_DEADLINE_MS = 30_000;

const options = programOptions(USAGE, {
  targets: { type: "string", default: "both" },
  only: { type: "string", default: "" },
  write: { type: "boolean", default: false },
  note: { type: "string" },
});
if (!NetworkNamespace.isPossible) {
  process.stderr.write(
    "This needs network namespaces: run it on Linux, as root, with iproute2 and nftables installed.\n",
  );
  process.exit(1);
}

const faults = MATRIX_FAULTS.filter(({ name }) => name.includes(options.only));
const folder = await mkdtemp(join(tmpdir(), "fanfare-matrix-"));
const say = (text: string) => process.stdout.write(`${text}\n`);

async function runWith(kind: TargetKind): Promise<MatrixRow[]> {
  const targets: MatrixTarget[] = [];
  const neighbour = await MatrixNeighbour.start();
  const credentials = { accessKey: "MATRIX00000000000001", secretKey: randomBytes(20).toString("hex") };
  const environment = { FANFARE_TARGET_ALLOW: "127.0.0.0/8,10.77.0.0/16", FANFARE_LOG_LEVEL: "info" };
  const server = await FanfareProcess.start({ dataFolder: join(folder, `data-${kind}`), credentials, environment });
  try {
    for (const [index, fault] of faults.entries()) targets.push(await MatrixTarget.start(kind, fault, index, folder));
    return await measure(kind, targets, neighbour, new ApiClient(server.origin, credentials, () => undefined));
  } finally {
    await server.stop();
    await writeFile(join(folder, `server-${kind}.log`), server.output);
    await Promise.all([...targets, neighbour].map((each) => each.close()));
  }
}

async function measure(
  kind: TargetKind,
  targets: readonly MatrixTarget[],
  neighbour: MatrixNeighbour,
  api: ApiClient,
): Promise<MatrixRow[]> {
  const restream = [...targets, neighbour].map(({ url }, index) => ({
    targetName: "CUSTOM",
    rtmpUrl: url,
    streamKey: `matrix-${index}`,
  }));
  const body = { channelName: "matrix", planType: "UNLIMITED", restream };
  const created = await api.request("POST", "/api/v2/re-stream/channels", body);
  const channel = z
    .looseObject({ channelId: z.string(), publishUrl: z.string(), streamKey: z.string() })
    .parse(created);
  const clip = syntheticClip({ kilobits: KILOBITS });
  const encoder = new KitEncoder({ url: channel.publishUrl, streamKey: channel.streamKey, clip });
  const history = new ChannelHistory(api, channel.channelId, restream.length);
  await waitFor("all on air", ON_AIR_DEADLINE_MS, () => history.platforms.every(({ isOnAir }) => isOnAir) || undefined);
  await pass(CALM_MS);
  for (const target of [...targets, neighbour]) target.watch();
  const beganMs = performance.now();
  say(`${kind}: all on air; the faults begin`);
  await Promise.all([...targets.map((target) => target.undergo()), pass(WATCHED_MS)]);
  const beside = history.platforms.at(-1);
  const rows = targets.map((target, index) => {
    const platform = history.platforms[index];
    if (platform === undefined || beside === undefined) throw new Error("a platform without a history");
    return judgeRow({ kind, fault: target.fault, platform, beganMs, longestGapMs: target.longestGapMs });
  });
  await history.stop();
  await encoder.stop("clean");
  return [...rows, neighbourRow(kind, neighbour, beside, beganMs)];
}

function neighbourRow(
  kind: TargetKind,
  neighbour: MatrixNeighbour,
  platform: StatusHistory | undefined,
  beganMs: number,
): MatrixRow {
  const problems = [...neighbour.problems];
  if (neighbour.connectionCount !== 1) problems.push(`connected to ${neighbour.connectionCount} times`);
  if (neighbour.lostFrames > 0) problems.push(`${neighbour.lostFrames} frames lost`);
  if (platform?.failedAtMs(beganMs) !== undefined) problems.push("reported as failed");
  return {
    kind,
    fault: "none: the healthy neighbour",
    words: "PUBLISHING",
    longestGapMs: neighbour.longestGapMs,
    offAirMs: platform?.offAirMs(beganMs, performance.now()) ?? 0,
    drops: platform?.droppedFrames ?? 0,
    queueMs: platform?.longestQueueMs(beganMs) ?? 0,
    problems,
  };
}

const kinds = TARGET_KINDS.filter((kind) => options.targets === "both" || options.targets === kind);
const rows: MatrixRow[] = [];
for (const kind of kinds) {
  const some = await runWith(kind);
  for (const row of some) say(rowText(row));
  rows.push(...some);
}
const problems = rows.flatMap(({ kind, fault, problems: all }) => all.map((each) => `${kind}, ${fault}: ${each}`));
for (const problem of problems) say(`PROBLEM: ${problem}`);
if (options.write) {
  await mkdir(join(ROOT, "docs", "results"), { recursive: true });
  await writeFile(
    join(ROOT, "docs", "results", "fault-matrix.md"),
    matrixReport(rows, problems, KILOBITS, options.note),
  );
}
if (problems.length === 0) await rm(folder, { recursive: true, force: true });
else process.stderr.write(`${problems.length} problems; the servers' logs are in ${folder}\n`);
process.exit(problems.length > 0 ? 1 : 0);

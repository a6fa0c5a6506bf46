import { at, milliseconds, seconds } from "./figures.ts";
import type { Lab, LabOptions } from "./lab.ts";
import { type Cut, cutOwner, packetCuts, proxyCuts } from "./scenarios/cuts.ts";
import { failOverDatabase } from "./scenarios/failovers.ts";
import { freezeOwners } from "./scenarios/freezes.ts";
import { type Disturbance, disturbOwner } from "./scenarios/kept-owners.ts";
import { killOwners } from "./scenarios/kills.ts";
import { missingAt, moveBroadcast, SECOND_OF_FRAMES } from "./scenarios/moves.ts";
import { killNatsServers } from "./scenarios/nats-servers.ts";
import { killBeforeNginx } from "./scenarios/nginx.ts";
import { killOwnersOfObs } from "./scenarios/obs.ts";
import { outage } from "./scenarios/outages.ts";
import { raceForChannels } from "./scenarios/races.ts";
import { type RollingOptions, rollingUpgrade } from "./scenarios/rolling.ts";
import { type Loss, loseNodesWithBackup } from "./scenarios/standbys.ts";
import { twoVersions } from "./scenarios/versions.ts";

/** The goal for an encoder that waits two seconds before it comes back, in milliseconds. */
const BACK_MS_MAX = 3_500;
/** What happened is told of a kill after which a target waited this long, in milliseconds. */
const LATE_MS = 3_000;
/** Two publishers of ours to one target: where the old owner hears anything, and where it hears nothing. In milliseconds. */
const OVERLAP_MS_MAX = 1_000;
const DEAF_OVERLAP_MS_MAX = 10_000;
const FROZEN_MS = 20_000;
const MESSAGES_MAX = 1_000_000;

export type LabRun = {
  /** What its number is, and what happens. */
  readonly usage: string;
  readonly options: LabOptions;
  /** The nodes that are of another version where `--other` names its folder; `needed`: only with one. */
  readonly other?: { readonly nodes: readonly string[]; readonly isNeeded: boolean };
  /** Prints its figures. Returns a sentence for each thing that is not as it must be. */
  readonly run: (lab: Lab, count: number) => Promise<readonly string[]>;
};

const compared = { channels: 1, messagesMax: MESSAGES_MAX, isProxied: false };
const standby = { channels: 1, isProxied: false, hasBackup: true };
const upgraded = { channels: 14, messagesMax: MESSAGES_MAX, drainSeconds: 10 };
const everyNode = { nodes: ["a", "b", "c"], isNeeded: false };

export const LAB_RUNS: Readonly<Record<string, LabRun>> = {
  kills: {
    usage: "N  kills a node that owns channels with SIGKILL, N times, while encoders stream and clients write",
    options: { channels: 4 },
    run: runKills,
  },
  freezes: {
    usage: "N  stops an owner for 20 s with SIGSTOP, N times; another node takes over, and the owner wakes",
    options: { channels: 1, isProxied: false },
    run: runFreezes,
  },
  outages: {
    usage: "S  takes NATS away for S seconds, then PostgreSQL, and compares every frame at the targets",
    options: { ...compared, channels: 2 },
    run: runOutages,
  },
  nats: {
    usage: "S  kills each of three NATS servers in turn, then all for S seconds, and compares every frame",
    options: { ...compared, channels: 2, natsServers: 3 },
    run: runNatsServers,
  },
  cuts: {
    usage: "S  cuts an owner off from NATS, PostgreSQL, both, and the links of the other nodes, for S seconds each",
    options: { ...compared, hasBackup: true, network: "proxies" },
    run: (lab, count) => runCuts(lab, count, proxyCuts(lab)),
  },
  packets: {
    usage: "S  the same in namespaces, where packets are dropped, most in one direction only (root)",
    options: { ...compared, hasBackup: true, network: "hosts" },
    run: (lab, count) => runCuts(lab, count, packetCuts(lab)),
  },
  standbys: {
    usage: "N  kills the node of the main encoder, N times; the backup encoder is at another node",
    options: standby,
    run: (lab, count) => runStandbys(lab, count, "process"),
  },
  hosts: {
    usage: "N  turns the main encoder's host off, N times; nothing comes from it any more (root)",
    options: { ...standby, network: "hosts" },
    run: (lab, count) => runStandbys(lab, count, "host"),
  },
  cables: {
    usage: "N  pulls the cable of the main encoder's host for 15 s, N times (root)",
    options: { ...standby, network: "hosts" },
    run: (lab, count) => runStandbys(lab, count, "cable"),
  },
  pauses: {
    usage: "N  lets the owner's process stand still for 0.7 s, N times; it must keep its channel",
    options: standby,
    run: (lab, count) => runKept(lab, count, "pause"),
  },
  partitions: {
    usage: "N  lets the owner's host and that of the backup encoder not reach each other for 4 s, N times (root)",
    options: { ...standby, network: "hosts" },
    run: (lab, count) => runKept(lab, count, "partition"),
  },
  races: {
    usage: "N  two encoders come with one key to two nodes at once, N times",
    options: { channels: 1, isProxied: false },
    run: runRaces,
  },
  moves: {
    usage: "N  moves a broadcast from node to node, N times, and looks for frames that the targets miss",
    options: compared,
    run: runMoves,
  },
  rolling: {
    usage: "N  ends each node, lets it drain and starts it again, N times, while broadcasts begin all the time",
    options: upgraded,
    other: everyNode,
    run: runRolling,
  },
  spare: {
    usage: "N  the same with a fourth node that starts first, while the third does not start again",
    options: { ...upgraded, hasSpare: true },
    other: everyNode,
    run: runRolling,
  },
  held: {
    usage: "N  the same, and platforms are held while their encoder is away",
    options: { ...upgraded, hasSpare: true },
    other: everyNode,
    run: (lab, count) => runRolling(lab, count, { isHeld: true }),
  },
  failovers: {
    usage: "N  PostgreSQL fails over to a standby that lacks the last commits, N times",
    options: { channels: 4, messagesMax: MESSAGES_MAX, isProxied: false },
    run: runFailovers,
  },
  nginx: {
    usage:
      "N  kills the owner of a channel with nginx as a platform, N times, and compares and decodes what nginx recorded",
    options: { channels: 1, isProxied: false },
    run: runNginx,
  },
  versions: {
    usage: "1  another version beside this one: each owns a channel whose encoder comes through the other",
    options: { ...compared, channels: 2 },
    other: { nodes: ["a", "c"], isNeeded: true },
    run: runVersions,
  },
  obs: {
    usage: "N  kills the owner of a channel that OBS streams into, N times",
    options: { channels: 1 },
    run: runObs,
  },
};

async function runKills(lab: Lab, times: number): Promise<readonly string[]> {
  const result = await killOwners(lab, times, (no, longestMs, story) => {
    say(`${no}: back after ${Math.round(longestMs)} ms`);
    for (const line of longestMs > LATE_MS ? story() : []) say(`   ${line}`);
  });
  const { backMs, refusals, overlapMs, writes } = result;
  say(`| kills of a node that owns channels | ${times} |`);
  say(`| until a target had media again: p50, p90, p99, longest | ${seconds(backMs)} (${backMs.length} waits) |`);
  sayOverlap(overlapMs);
  say(`| acknowledged writes meanwhile, requests without an answer | ${writes.acknowledged}, ${writes.unanswered} |`);
  say(`| encoders refused | ${refusals} |`);
  const isLate = at(backMs, 0.99) > BACK_MS_MAX;
  return [
    ...result.faults,
    ...(isLate ? [`p99 is over ${BACK_MS_MAX} ms`] : []),
    ...overlapFaults(overlapMs),
    ...(refusals > 0 ? [`${refusals} publishes were refused`] : []),
  ];
}

async function runFreezes(lab: Lab, times: number): Promise<readonly string[]> {
  const { backMs, overlapMs, faults } = await freezeOwners(lab, times, FROZEN_MS);
  say(`| freezes of an owner, each ${FROZEN_MS / 1_000} s | ${times} |`);
  say(`| from the next encoder's connection to media at the targets: p50, p90, p99, longest | ${seconds(backMs)} |`);
  sayOverlap(overlapMs);
  return [...faults, ...overlapFaults(overlapMs)];
}

async function runOutages(lab: Lab, count: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const service of ["nats", "postgres"] as const) {
    const { frames, knownKeyMs, faults } = await outage(lab, service, count * 1_000);
    const known = knownKeyMs === undefined ? "not accepted" : `${Math.round(knownKeyMs)} ms`;
    say(`| ${service} away for ${count} s: frames compared, wrong | ${frames}, ${faults.length} |`);
    say(`| ${service} away: a known key is accepted after | ${known} |`);
    found.push(...faults, ...(knownKeyMs === undefined ? [`${service} away: a known key was not accepted`] : []));
  }
  return found;
}

async function runNatsServers(lab: Lab, count: number): Promise<readonly string[]> {
  const { frames, editMs, faults } = await killNatsServers(lab, count * 1_000);
  say(
    `| each of three NATS servers killed, then all for ${count} s: frames compared, wrong | ${frames}, ${faults.length} |`,
  );
  for (const [away, tookMs] of editMs)
    say(`| away: ${away}; an edit at another node is in effect after | ${Math.round(tookMs)} ms |`);
  return faults;
}

async function runCuts(lab: Lab, count: number, cuts: readonly Cut[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const cut of cuts) {
    const { frames, visit, overlapMs, faults } = await cutOwner(lab, cut, count * 1_000);
    say(`| owner cut off from ${cut.name} for ${count} s: frames compared, wrong | ${frames}, ${faults.length} |`);
    say(`| … an encoder with the second key at another node, two publishers | ${visit}, ${Math.round(overlapMs)} ms |`);
    found.push(...faults, ...overlapFaults(overlapMs, OVERLAP_MS_MAX, `${cut.name}: `));
  }
  return found;
}

async function runStandbys(lab: Lab, times: number, loss: Loss): Promise<readonly string[]> {
  const say1 = (no: number, longestMs: number) => say(`${no}: dialled after ${Math.round(longestMs)} ms`);
  const result = await loseNodesWithBackup(lab, loss, times, say1);
  const { dialledMs, claimedMs, goesOnMs, mediaMs, overlapMs, faults } = result;
  say(`| the main encoder's ${loss} is lost; the backup encoder is at another node | ${times} |`);
  say(`| until the second node dials a target: p50, p90, p99, longest | ${milliseconds(dialledMs)} |`);
  say(`| … until it owns the channel | ${milliseconds(claimedMs)} |`);
  say(`| … until its encoder goes on there | ${milliseconds(goesOnMs)} |`);
  say(`| until it has media: p50, p90, p99, longest | ${milliseconds(mediaMs)} |`);
  sayOverlap(overlapMs);
  return [...faults, ...overlapFaults(overlapMs, loss === "cable" ? DEAF_OVERLAP_MS_MAX : OVERLAP_MS_MAX)];
}

async function runKept(lab: Lab, times: number, how: Disturbance): Promise<readonly string[]> {
  const { takenOver, faults } = await disturbOwner(lab, how, times);
  say(`| ${how} of a living owner, the backup encoder at another node; taken over | ${times}, ${takenOver} |`);
  return faults;
}

async function runRaces(lab: Lab, times: number): Promise<readonly string[]> {
  const { settledMs, replaced, claims, faults } = await raceForChannels(lab, times, (no) => {
    if (no % 100 === 0) say(`${no}`);
  });
  say(`| one key at two nodes at the same moment, ownerships | ${times}, ${claims} |`);
  say(`| until one encoder is left: p50, p90, p99, longest | ${milliseconds(settledMs)} |`);
  say(`| both were accepted, and one replaced the other | ${replaced} |`);
  return faults;
}

async function runMoves(lab: Lab, times: number): Promise<readonly string[]> {
  const say1 = (no: number, missing: readonly number[]) => say(`${no}: ${missing.join(", ")} frames missing`);
  const { seams, frames, faults } = await moveBroadcast(lab, times, say1);
  const missing = seams.map(missingAt);
  const several = seams.filter((seam) => missingAt(seam) > 0);
  say(`| moves of a broadcast, two targets each; frames compared within connections | ${times}, ${frames} |`);
  say(`| frames that a target misses between two connections: p50, p90, longest | ${figures(missing)} |`);
  say(`| … targets that miss any | ${several.length} of ${seams.length} |`);
  for (const { move, last, first } of several) say(`  move ${move}: last ${last}, first ${first}`);
  const isLong = missing.some((count) => count > SECOND_OF_FRAMES);
  return [...faults, ...(isLong ? ["a target misses more than a second"] : [])];
}

function figures(values: readonly number[]): string {
  return [0.5, 0.9, 1].map((part) => at(values, part)).join(", ");
}

async function runFailovers(lab: Lab, times: number): Promise<readonly string[]> {
  const { claims, frames, revertedMs, ownsMs, overlapMs, faults } = await failOverDatabase(lab, times);
  say(`| failovers of PostgreSQL that lost commits | ${times} |`);
  say(
    `| ownerships told, frames of the broadcast that was not concerned, wrong | ${claims}, ${frames}, ${faults.length} |`,
  );
  say(`| until a platform follows the database, whose change was lost | ${milliseconds(revertedMs)} |`);
  say(`| until a node that the database had lost owns a channel | ${milliseconds(ownsMs)} |`);
  sayOverlap(overlapMs);
  return [...faults, ...overlapFaults(overlapMs)];
}

async function runNginx(lab: Lab, times: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let no = 1; no <= times; no += 1) {
    const { frames, seam, faults } = await killBeforeNginx(lab);
    say(`| nginx recorded: frames of video, wrong | ${frames.join(" + ")}, ${faults.length} |`);
    say(`| the last frame before the kill, the first one after it | ${seam.join(", ")} |`);
    found.push(...faults);
  }
  return found;
}

async function runVersions(lab: Lab, times: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (let no = 1; no <= times; no += 1) {
    const { directions, overlapMs, faults } = await twoVersions(lab);
    for (const { owner, visitor, frames, backMs, movedTo } of directions) {
      const moved = movedTo === undefined ? "stayed" : `moved to ${movedTo}`;
      const facts = `${frames}, ${milliseconds(backMs)}, ${moved}`;
      say(`| owner ${owner}, encoder at ${visitor}: frames compared, back after a kill, a move | ${facts} |`);
    }
    sayOverlap(overlapMs);
    found.push(...faults, ...overlapFaults(overlapMs));
  }
  say(`| wrong | ${found.length} |`);
  return found;
}

async function runRolling(lab: Lab, rounds: number, options: RollingOptions = {}): Promise<readonly string[]> {
  const result = await rollingUpgrade(lab, rounds, options);
  const { begun, refused, frames, interruptions, overlapMs, writes, faults } = result;
  say(`| rolling upgrades of three nodes | ${rounds} |`);
  say(`| broadcasts begun meanwhile, refused | ${begun}, ${refused.length} |`);
  say(`| frames compared within each connection, wrong | ${frames}, ${faults.length} |`);
  say(`| interruptions of each long broadcast | ${interruptions.join(", ")} |`);
  sayOverlap(overlapMs);
  say(`| acknowledged writes meanwhile, requests without an answer | ${writes.acknowledged}, ${writes.unanswered} |`);
  return [...faults, ...refused.map((how) => `a broadcast could not begin: ${how}`), ...overlapFaults(overlapMs)];
}

async function runObs(lab: Lab, times: number): Promise<readonly string[]> {
  const { backMs, overlapMs } = await killOwnersOfObs(lab, times);
  say(`| OBS: kills of the owner, until a target had media again | ${times}, ${seconds(backMs)} |`);
  sayOverlap(overlapMs);
  return overlapFaults(overlapMs);
}

function sayOverlap(overlapMs: number): void {
  say(`| two connections of one target with media at the same time, longest | ${Math.round(overlapMs)} ms |`);
}

function overlapFaults(overlapMs: number, maxMs = OVERLAP_MS_MAX, what = ""): readonly string[] {
  return overlapMs > maxMs ? [`${what}two publishers for ${Math.round(overlapMs)} ms`] : [];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

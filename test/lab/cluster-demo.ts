import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Haproxy, startHaproxy } from "../support/cluster/haproxy.ts";
import { carriedBy, type LabNode, startLabNode } from "../support/cluster/lab-node.ts";
import { SharedServices } from "../support/cluster/shared-services.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import { freePort } from "../support/processes/free-port.ts";
import { type Clip, makeClip } from "../support/streams/clip.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";

// Run as `npm run cluster-demo`: a cluster with all that it needs on this machine, for somebody who wants to kill nodes.

const NAMES = ["a", "b", "c"] as const;
const KEY = "demo";
const CLIP_SECONDS = 6;
/** As OBS waits before it connects again, in milliseconds. */
const RETURN_MS = 2_000;
const SHOW_MS = 1_000;
/** As a service manager would start a node again that has ended, in milliseconds. */
const RESTART_MS = 10_000;
/** How often it is checked that the script that started this is still there, in milliseconds. */
const PARENT_CHECK_MS = 500;
const STOP_GRACE_MS = 3_000;

type Setting = {
  readonly services: SharedServices;
  readonly nodes: readonly LabNode[];
  readonly proxy: Haproxy;
  readonly nginx: NginxTarget;
};

const say = (text: string) => process.stdout.write(`${text}\n`);
const stopping = Promise.withResolvers<void>();
let isStopping = false;
const closers: (() => Promise<unknown>)[] = [];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) stop();
}, PARENT_CHECK_MS).unref();

try {
  const setting = await start();
  if (setting !== undefined) await play(setting);
} catch (error) {
  if (!isStopping) process.exitCode = 1;
  say(error instanceof Error ? error.message : String(error));
} finally {
  isStopping = true;
  say("Ending everything.");
  // What was started last ends first.
  for (const close of closers.reverse()) await close().catch((error: unknown) => say(String(error)));
}
process.exit();

function stop(): void {
  isStopping = true;
  stopping.resolve();
}

/** Starts everything but the encoder. Undefined where it was stopped meanwhile. */
async function start(): Promise<Setting | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-cluster-demo-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  say("Starting PostgreSQL, NATS, nginx, three nodes and HAProxy.");
  const place = { host: "127.0.0.1", port: await freePort(), statisticsPort: await freePort() };
  const nginx = await NginxTarget.start(join(folder, "nginx"), place);
  closers.push(() => nginx.stop());
  const services = await SharedServices.start(folder);
  closers.push(() => services.close());
  const nodes: LabNode[] = [];
  for (const name of NAMES) {
    if (isStopping) return undefined;
    const environment = {
      FANFARE_LOG_LEVEL: "warn",
      FANFARE_PROXY_PROTOCOL_FROM: "127.0.0.0/8",
      FANFARE_TRUSTED_PROXIES: "127.0.0.0/8",
    };
    const node = await startLabNode(name, folder, services, { environment });
    closers.push(() => node.fanfare.stop());
    nodes.push(node);
  }
  const proxy = await startHaproxy(
    folder,
    nodes.map(({ fanfare }) => fanfare),
  );
  closers.push(() => proxy.child.stop("SIGTERM", STOP_GRACE_MS));
  void proxy.child.exited.then(() => {
    if (!isStopping) say(`HAProxy ended: ${proxy.child.stderr()}`);
    stop();
  });
  return isStopping ? undefined : { services, nodes, proxy, nginx };
}

/** Publishes, and shows what happens, until it is stopped. */
async function play(setting: Setting): Promise<void> {
  const { nodes, proxy, nginx } = setting;
  const [first] = nodes;
  if (first === undefined) return;
  const platforms = [{ label: "nginx on this machine", rtmpUrl: nginx.url, streamKey: KEY }];
  const { streamKey } = await first.api.createChannel("demo", platforms);
  const clip = await makeClip({ seconds: CLIP_SECONDS });
  explain(setting);
  const all = [publish(clip, `rtmp://127.0.0.1:${proxy.rtmpPort}/live/${streamKey}`), watch(setting)];
  await Promise.all([...all, ...nodes.map(keepRunning)]);
}

/** FFmpeg publishes, and connects again each time its connection breaks. */
async function publish(clip: Clip, url: string): Promise<void> {
  while (!isStopping) {
    const encoder = await startFfmpeg(clip, url, { loops: true });
    await Promise.race([encoder.exited, stopping.promise]);
    await encoder.stop("SIGINT", STOP_GRACE_MS);
    if (isStopping) return;
    news(`the encoder's connection broke: it comes back in ${RETURN_MS / 1_000} s`);
    await pass(RETURN_MS);
  }
}

/** Starts a node again each time it has ended. */
async function keepRunning({ name, fanfare }: LabNode): Promise<void> {
  while (!isStopping) {
    await Promise.race([fanfare.exited, stopping.promise]);
    await pass(RESTART_MS);
    if (isStopping) return;
    await fanfare.restart();
    news(`node ${name} runs again: pid ${fanfare.pid}`);
  }
}

/** Says which nodes carry the channel, and whether nginx gets the stream, each time that changes. */
async function watch({ nodes, nginx }: Setting): Promise<void> {
  const lines = new Map<string, string>();
  const tell = (about: string, what: string) => {
    if (isStopping || lines.get(about) === what) return;
    lines.set(about, what);
    news(`${about} ${what}`);
  };
  let hadBytes = 0;
  while (!isStopping) {
    const bytes = await nginx.receivedBytes(KEY);
    tell("nginx", bytes === hadBytes ? "gets nothing" : "gets the stream");
    hadBytes = bytes;
    for (const node of nodes) tell(`node ${node.name}`, await stateOf(node));
    await pass(SHOW_MS);
  }
}

async function stateOf(node: LabNode): Promise<string> {
  try {
    return (await carriedBy(node)) > 0 ? "carries the channel" : "is ready";
  } catch {
    return "does not answer";
  }
}

function explain({ services, nodes, proxy }: Setting): void {
  const { credentials, postgres, nats } = services;
  const setUp = /http:\/\/\S+setup\S*/.exec(nodes[0]?.fanfare.output ?? "")?.[0];
  const pids = nodes.map(({ name, fanfare }) => [`Node ${name}`, fanfare.pid] as const);
  const processes = [...pids, ["PostgreSQL", postgres.pid] as const, ["NATS", nats.pid] as const];
  say(`
Three nodes behind HAProxy. FFmpeg publishes to HAProxy, nginx is the platform.

  Dashboard and API   http://127.0.0.1:${proxy.httpPort}/
  Encoders            rtmp://127.0.0.1:${proxy.rtmpPort}/live
  Access key          ${credentials.accessKey} ${credentials.secretKey}
${setUp === undefined ? "" : `  Set a password      ${setUp}\n`}
${processes.map(([name, pid]) => `  ${name.padEnd(18)}  pid ${pid}`).join("\n")}

What to try:
  kill -9 PID         of the node that carries the channel: the encoder comes back, another node takes the channel over,
                      and nginx gets the stream again a few seconds after the kill. The node starts again after ${RESTART_MS / 1_000} s.
  kill -STOP PID      of PostgreSQL or NATS, and kill -CONT PID a minute later: nginx misses nothing.

Ctrl-C ends everything; nothing is kept.
`);
}

function news(text: string): void {
  say(`${new Date().toISOString().slice(11, 19)} ${text}`);
}

/** Waits, but not beyond the end. */
async function pass(delayMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, delayMs);
  });
  await Promise.race([passed, stopping.promise]);
  clearTimeout(timer);
}

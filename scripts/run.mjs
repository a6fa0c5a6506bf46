// Every npm script starts here. Runs on Node 18 and later with nothing installed: it installs what the lockfile says,
// finds a Node that can run TypeScript sources, and runs the command with it.
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fail, ROOT, runInForeground, runLastBeside, runQuietly, runSideBySide, runStep, succeeds } from "./steps.mjs";
import { installTestTools } from "./test-tools.mjs";

const MODULES = join(ROOT, "node_modules");
/** What `npm run docs` needs beside the product: a package of its own, with a lockfile of its own. */
const DOCS_SITE = join(ROOT, "scripts", "docs-site");
/** The npm package `node` contains it. */
const PACKAGED_NODE = join(MODULES, "node", "bin", "node");
/** Since Node 24 sources run unbuilt (type stripping), and `node:sqlite` and `reusePort` exist. */
const NODE_MAJOR_MIN = 24;
const SERVER = join(ROOT, "src", "cli", "main.ts");
/**
 * In MiB, for one half of the young generation of each thread. By default V8 lets it grow to 192 MiB in steps that double, though
 * nothing is kept. The same as in the first line of src/cli/main.ts.
 */
const SERVER_FLAGS = ["--max-semi-space-size=4"];
/**
 * In bytes: glibc gives larger pieces of memory back to the system as soon as they are free. By default it raises this bound with the
 * first of them, and keeps what a busy moment needed, such as blocks of media, for good.
 */
const SERVER_ENV = { MALLOC_MMAP_THRESHOLD_: "131072" };
const PACKAGED = {
  biome: join(MODULES, "@biomejs", "biome", "bin", "biome"),
  tsc: join(MODULES, "typescript", "bin", "tsc"),
  knip: join(MODULES, "knip", "bin", "knip.js"),
  vitest: join(MODULES, "vitest", "vitest.mjs"),
  vite: join(MODULES, "vite", "bin", "vite.js"),
};
/**
 * Each checker of TypeScript types what the files of others import once more, and its collector runs often by default:
 * together they took two fifths of its processor time.
 */
const TSC_OPTIONS = ["--checkers", "1"];
const TSC_ENV = { GOGC: "400", ...process.env };
const VITE_CONFIG = ["--config", join("web", "vite.config.ts")];

const DIST = join(ROOT, "dist");
const BUNDLE = join(DIST, "cli", "main.js");
/** The sources of the dashboard, and the file that is there once it is made. */
const DASHBOARD_SOURCES = ["web", join("src", "api-contract"), "package-lock.json"];
const DASHBOARD = join(ROOT, "dist-web", "index.html");

/** Programs of their own that are not part of `npm test`: long tests, measurements, releases. */
const PROGRAMS = {
  "kill-nine": join("scripts", "kill-nine.mjs"),
  release: join("scripts", "release", "release.ts"),
  "record-database": join("test", "release", "record-database.ts"),
  "record-messages": join("test", "release", "record-node-messages.ts"),
  fuzz: join("test", "soak", "fuzz.ts"),
  soak: join("test", "soak", "soak.ts"),
  "long-hold": join("test", "soak", "long-hold.ts"),
  "fault-matrix": join("test", "soak", "fault-matrix.ts"),
  "every-byte": join("test", "soak", "every-byte.ts"),
  "backup-return": join("test", "soak", "backup-return.ts"),
  upgrades: join("test", "soak", "upgrades.ts"),
  "simulate-placement": join("test", "soak", "simulate-placement.ts"),
  "cluster-lab": join("test", "lab", "cluster-lab.ts"),
  "node-pauses": join("test", "soak", "node-pauses.ts"),
  "srt-flood": join("test", "soak", "srt-flood.ts"),
  "srt-fuzz": join("test", "soak", "srt-fuzz.ts"),
  "never-dark": join("test", "soak", "never-dark.ts"),
  "slow-disk": join("test", "soak", "slow-disk.ts"),
  "storage-away": join("test", "soak", "storage-away.ts"),
  "srt-loss": join("test", "soak", "srt-loss.ts"),
};
/** Commands and programs that need nothing but Node. */
const NODE_ALONE = [
  ...["start", "demo", "dev", "check", "build", "docs", "install", "format", "test:unit", "simulate"],
  ...["release", "record-database", "record-messages", "kill-nine", "fuzz", "soak", "simulate-placement", "srt-fuzz"],
];
const SIMULATION = join("test", "relay", "simulation.test.ts");
const SIMULATION_SEEDS = "2000";

/** A cache for npm, for this once, where its own cannot be written: in a home that is read-only, or is not there. */
function npmCacheForOnce() {
  const own = process.env.npm_config_cache;
  if (own === undefined) return undefined;
  try {
    mkdirSync(own, { recursive: true });
    accessSync(own, constants.W_OK);
    return undefined;
  } catch {
    const folder = mkdtempSync(join(tmpdir(), "fanfare-npm-"));
    process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }
}

/** Runs `npm ci` in a folder when nothing is installed, or when the lockfile has changed since the last install. */
async function install(folder = ROOT) {
  const stamp = join(folder, "node_modules", ".fanfare-installed");
  const lock = createHash("sha256")
    .update(readFileSync(join(folder, "package-lock.json")))
    .digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8").trim() === lock) return;
  process.stdout.write("— installing packages\n");
  // Node 24 itself is a dev dependency, so NODE_ENV=production or `omit=dev` must not drop it, nor what its install
  // script asks npm for.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "NODE_ENV"));
  const cache = npmCacheForOnce();
  const options = cache === undefined ? [] : ["--cache", cache];
  const args = ["ci", "--include=dev", "--no-audit", "--no-fund", "--prefix", folder, ...options];
  await runQuietly("npm ci", "npm", args, env);
  if (cache !== undefined) rmSync(cache, { recursive: true, force: true });
  writeFileSync(stamp, `${lock}\n`);
}

/** The Node that runs the server and the tests: this one if it is new enough, otherwise the packaged one. */
function newEnoughNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  if (existsSync(PACKAGED_NODE) && succeeds(PACKAGED_NODE, ["--version"])) return PACKAGED_NODE;
  return fail(
    `fanfare needs Node ${NODE_MAJOR_MIN} or later. This is ${process.version}, and the one that \`npm ci\` should have brought ` +
      `(node_modules/node/bin/node) is missing or does not run here: allow the install script of the npm package ` +
      "`node`, or install Node 24 yourself.",
  );
}

function newestChangeMs(path) {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newestChangeMs(join(path, name))));
}

/** Builds the dashboard into dist-web/, whole or not at all, unless it is newer than all its sources. */
async function buildDashboard(node) {
  const newestMs = Math.max(...DASHBOARD_SOURCES.map((path) => newestChangeMs(join(ROOT, path))));
  if (existsSync(DASHBOARD) && statSync(DASHBOARD).mtimeMs > newestMs) return;
  process.stdout.write("— building the dashboard\n");
  const draft = `${dirname(DASHBOARD)}.unfinished`;
  const options = [...VITE_CONFIG, "--outDir", draft, "--emptyOutDir"];
  await runQuietly("the dashboard's build (vite)", node, [PACKAGED.vite, "build", ...options]);
  rmSync(dirname(DASHBOARD), { recursive: true, force: true });
  renameSync(draft, dirname(DASHBOARD));
}

/** Runs the server in the foreground, with the dashboard built. */
async function start(node, args) {
  await buildDashboard(node);
  const env = { ...process.env, ...SERVER_ENV };
  runInForeground([{ name: "the server", command: node, args: [...SERVER_FLAGS, SERVER, ...args], env }]);
}

/**
 * Runs the server, started again at each change of its sources, and Vite, which serves the dashboard's sources and
 * passes every call on to the server. Environment variables set the server, arguments set Vite.
 */
function dev(node, args) {
  const env = { FANFARE_DATA_DIR: join("data", "dev"), ...process.env };
  runInForeground([
    { name: "the server", command: node, args: ["--watch", "--watch-preserve-output", ...SERVER_FLAGS, SERVER], env },
    { name: "Vite", command: node, args: [PACKAGED.vite, ...VITE_CONFIG, "--clearScreen", "false", ...args], env },
  ]);
}

/** Runs a cluster with everything around it, until Ctrl-C. */
async function clusterDemo(node, args) {
  await buildDashboard(node);
  const program = join("test", "lab", "cluster-demo.ts");
  runInForeground([{ name: "the demo", command: node, args: [program, ...args], isApart: true }]);
}

/** Types of the API's client, from the OpenAPI document: generated, so that they are never behind it. */
function clientTypes(node) {
  runStep("types of the client (openapi-typescript)", node, [join("scripts", "client-types", "generate.ts")]);
}

const tscStep = (node, name, args) => ({
  name,
  command: node,
  args: [PACKAGED.tsc, ...TSC_OPTIONS, ...args],
  env: TSC_ENV,
});

const bundleStep = (node) => ({
  name: "the server's bundle in dist/ (vite)",
  command: node,
  args: [join("scripts", "bundle", "bundle-server.ts"), DIST],
});

const checkSteps = (node) => [
  { name: "lint and format (biome)", command: node, args: [PACKAGED.biome, "check", "--error-on-warnings"] },
  tscStep(node, "types (tsc)", ["-p", "tsconfig.json"]),
  tscStep(node, "types of the dashboard (tsc)", ["-p", join("web", "tsconfig.json")]),
  { name: "unused code and packages (knip)", command: node, args: [PACKAGED.knip] },
];

/** Side by side: each of them leaves a core idle for a part of its time. */
async function check(node) {
  clientTypes(node);
  await runSideBySide(checkSteps(node));
}

/** Makes dist/, the types in it too, and dist-web/. `isChecked`: the types of src/ are checked elsewhere. */
async function build(node, { isChecked = false } = {}) {
  clientTypes(node);
  await Promise.all([runSideBySide([bundleStep(node)]), buildDashboard(node)]);
  const options = isChecked ? ["--noCheck"] : [];
  const step = tscStep(node, "types in dist/ (tsc)", ["-p", "tsconfig.build.json", ...options]);
  runStep(step.name, step.command, step.args, step);
}

/** Makes the documentation site in dist-docs/. */
async function docs(node) {
  await install(DOCS_SITE);
  const vitepress = join(DOCS_SITE, "node_modules", "vitepress", "bin", "vitepress.js");
  runStep("documentation site (vitepress)", node, [vitepress, "build", DOCS_SITE], { isLast: true });
}

/** Runs one measurement of `bench/`; its result goes to `docs/results/`. */
async function bench(node, [name, ...options]) {
  const file = join(ROOT, "bench", `${name}.ts`);
  if (name === undefined || !existsSync(file)) fail("usage: node scripts/run.mjs bench NAME, for a file of bench/");
  await buildDashboard(node);
  runStep(`bench (${name})`, node, [file, ...options]);
}

const vitestStep = (node, name, args) => ({ name, command: node, args: [PACKAGED.vitest, "run", ...args] });

function vitest(node, name, args) {
  const step = vitestStep(node, name, args);
  runStep(step.name, step.command, step.args, { isLast: true });
}

/** Without names of files also lint, types and unused code, beside the tests: these leave a part of a core idle. */
async function test(node, args) {
  const name = "tests (vitest)";
  if (args.length > 0) {
    await buildDashboard(node);
    return vitest(node, name, args);
  }
  await build(node, { isChecked: true });
  // Otherwise the tests make a bundle of their own.
  if (process.env["FANFARE_TEST_FROM"] !== "sources") process.env["FANFARE_TEST_BUNDLE"] ??= BUNDLE;
  return runLastBeside(vitestStep(node, name, args), checkSteps(node));
}

const COMMANDS = {
  start,
  demo: (node, args) => start(node, ["demo", ...args]),
  "cluster-demo": clusterDemo,
  dev,
  check,
  build: (node) => build(node),
  docs,
  bench,
  // Nothing more than what every command does first: a layer of the image that changes only with the lockfile.
  install: () => undefined,
  format: (node) => runStep("format (biome)", node, [PACKAGED.biome, "check", "--write"]),
  test,
  "test:unit": (node, args) => vitest(node, "unit tests (vitest)", ["--project", "unit*", ...args]),
  simulate(node, [seeds = SIMULATION_SEEDS]) {
    process.env["FANFARE_SIMULATION_SEEDS"] = seeds;
    vitest(node, "simulation", [SIMULATION]);
  },
};

function runProgram(node, name, args) {
  runStep(name, node, [join(ROOT, PROGRAMS[name]), ...args], { isLast: true });
}

const [command = "", ...args] = process.argv.slice(2);
const isProgram = Object.hasOwn(PROGRAMS, command);
if (!isProgram && !Object.hasOwn(COMMANDS, command)) {
  fail(`usage: node scripts/run.mjs ${Object.keys({ ...COMMANDS, ...PROGRAMS }).join(" | ")}`);
}
// Side by side: packages of npm and of Debian both come over the network.
await Promise.all([install(), NODE_ALONE.includes(command) ? undefined : installTestTools()]);
const node = newEnoughNode();
await (isProgram ? runProgram(node, command, args) : COMMANDS[command](node, args));

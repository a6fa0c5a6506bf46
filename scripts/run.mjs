// The one door behind `npm start`, `npm test` and the small ones. Runs on Node 18 and later with nothing installed:
// it installs what the lockfile says, finds a Node that can run TypeScript sources, and starts the real thing with it.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, "node_modules");
const STAMP = join(MODULES, ".fanfare-installed");
const BROUGHT_NODE = join(MODULES, "node", "bin", "node");
/** Sources run unbuilt (type stripping), `node:sqlite` and `reusePort`: all there from Node 24 on. */
const NODE_MAJOR_MIN = 24;

/** What the end-to-end tests run: by command, and the Debian package that has it. */
const COMMANDS = [
  { command: "ffmpeg", args: ["-version"], packages: ["ffmpeg"] },
  { command: "nginx", args: ["-v"], packages: ["nginx"] },
  { command: "caddy", args: ["version"], packages: ["caddy"] },
  { command: "openssl", args: ["version"], packages: ["openssl"] },
  { command: "python3", args: ["--version"], packages: ["python3"] },
  { command: "gcc", args: ["--version"], packages: ["gcc", "libc6-dev"] },
  { command: "taskset", args: ["--version"], packages: ["util-linux"] },
  { command: "ip", args: ["-V"], packages: ["iproute2"] },
  { command: "nft", args: ["-v"], packages: ["nftables"] },
  { command: "curl", args: ["--version"], packages: ["curl", "ca-certificates"] },
  { command: "gcc", args: ["--version"], packages: ["gcc", "libc6-dev"] },
  { command: "obs", args: ["--version"], packages: ["obs-studio", "obs-plugins"] },
  { command: "Xvfb", args: ["-help"], packages: ["xvfb"] },
  { command: "chromium", args: ["--version"], packages: ["chromium", "fonts-noto-cjk"] },
  { command: "gst-launch-1.0", args: ["--version"], packages: ["gstreamer1.0-tools"] },
];
/** The module's place is Debian's; other systems keep it elsewhere and are asked to install by hand. */
const NGINX_RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";
const LIBRTMP_HEADER = "/usr/include/librtmp/rtmp.h";
const OPENSSL_HEADER = "/usr/include/openssl/ssl.h";
/** OBS starts without its plugins, and then can neither encode nor stream. */
const OBS_PLUGINS = ["/usr/lib/x86_64-linux-gnu/obs-plugins", "/usr/lib/aarch64-linux-gnu/obs-plugins"];
const GSTREAMER_ELEMENTS = [
  { elements: ["videotestsrc", "audiotestsrc", "tee"], packages: ["gstreamer1.0-plugins-base"] },
  { elements: ["flvmux", "aacparse"], packages: ["gstreamer1.0-plugins-good"] },
  { elements: ["rtmp2sink", "rtmpsink", "voaacenc", "h264parse"], packages: ["gstreamer1.0-plugins-bad"] },
  { elements: ["x264enc"], packages: ["gstreamer1.0-plugins-ugly"] },
];

/** What asks a program to stop. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** How often it is looked at whether npm is still there, in milliseconds. */
const PARENT_LOOK_MS = 500;

function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/** The exit code a shell would show: the child's own, or 128 + the signal that ended it. */
function exitCode(status, signal) {
  return status ?? 128 + (constants.signals[signal] ?? 0);
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/**
 * Runs a command whose output matters only when it fails; ends the script when it does. Who is told to stop meanwhile ends the command first,
 * and ends well: what it was to make is made at the next start.
 */
async function runQuietly(name, command, args, env = process.env) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    child.kill("SIGTERM");
  };
  for (const signal of STOP_SIGNALS) process.on(signal, stop);
  const { status, signal, error } = await new Promise((resolve) => {
    child.on("error", (reason) => resolve({ status: null, signal: null, error: reason }));
    child.on("close", (code, name) => resolve({ status: code, signal: name }));
  });
  for (const each of STOP_SIGNALS) process.off(each, stop);
  if (isStopping) process.exit(0);
  if (status === 0) return;
  process.stderr.write(output);
  const reason = error === undefined ? `exit code ${exitCode(status, signal)}` : error.message;
  fail(`fanfare: ${name} failed (${reason})`, exitCode(status, signal) || 1);
}

/**
 * Runs one step with its output shown; ends the script, naming the step, when it fails. The tests tell that themselves,
 * in their closing line, and nothing comes after it.
 */
function runStep(name, command, args, { isLast = false } = {}) {
  process.stdout.write(`— ${name}\n`);
  const result = spawnSync(command, args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status === 0) return;
  if (result.error !== undefined) fail(`fanfare: ${name} could not be started: ${result.error.message}`);
  const code = exitCode(result.status, result.signal);
  if (isLast) process.exit(code);
  fail(`fanfare: ${name} failed (exit code ${code})`, code);
}

/** `npm ci` when nothing is installed or the lockfile is another one than at the last install. */
async function install() {
  const lock = createHash("sha256")
    .update(readFileSync(join(ROOT, "package-lock.json")))
    .digest("hex");
  if (existsSync(STAMP) && readFileSync(STAMP, "utf8").trim() === lock) return;
  process.stdout.write("— installing packages\n");
  // Node 24 itself is a dev dependency, so NODE_ENV=production or `omit=dev` must not drop it, nor what its install
  // script asks npm for.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== "NODE_ENV"));
  await runQuietly("npm ci", "npm", ["ci", "--include=dev", "--no-audit", "--no-fund"], env);
  writeFileSync(STAMP, `${lock}\n`);
}

/** The Node that runs the server and the tests: this one where it is new enough, else the one that npm brought. */
function newEnoughNode() {
  if (Number(process.versions.node.split(".")[0]) >= NODE_MAJOR_MIN) return process.execPath;
  if (existsSync(BROUGHT_NODE) && succeeds(BROUGHT_NODE, ["--version"])) return BROUGHT_NODE;
  return fail(
    `fanfare needs Node ${NODE_MAJOR_MIN} or later. This is ${process.version}, and the one that \`npm ci\` should have brought ` +
      `(node_modules/node/bin/node) is missing or does not run here: allow the install script of the npm package ` +
      "`node`, or install Node 24 yourself.",
  );
}

function missingPackages() {
  const packages = COMMANDS.filter(({ command, args }) => !succeeds(command, args)).flatMap((tool) => tool.packages);
  if (!existsSync(NGINX_RTMP_MODULE)) packages.push("libnginx-mod-rtmp");
  if (!existsSync(LIBRTMP_HEADER)) packages.push("librtmp-dev");
  if (!existsSync(OPENSSL_HEADER)) packages.push("libssl-dev");
  if (!OBS_PLUGINS.some((folder) => existsSync(folder)) && !packages.includes("obs-plugins"))
    packages.push("obs-plugins");
  for (const { elements, packages: owners } of GSTREAMER_ELEMENTS) {
    if (!elements.every((element) => succeeds("gst-inspect-1.0", ["--exists", element]))) packages.push(...owners);
  }
  return packages;
}

/** The real encoders and targets of the end-to-end tests: installed when this is root on Debian, else asked for. */
async function installTestTools() {
  const packages = missingPackages();
  if (packages.length === 0) return;
  const list = packages.join(" ");
  if (process.getuid?.() !== 0 || !succeeds("apt-get", ["--version"])) {
    fail(`The tests run real encoders and servers. Please install: ${list}\n(Debian: sudo apt-get install ${list})`);
  }
  process.stdout.write(`— installing ${list}\n`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  await runQuietly("apt-get update", "apt-get", ["update"], env);
  await runQuietly("apt-get install", "apt-get", ["install", "-y", "--no-install-recommends", ...packages], env);
  const still = missingPackages();
  if (still.length > 0) fail(`Still missing after apt-get install: ${still.join(" ")}`);
}

/** Runs the server in the foreground; signals go on to it, and it alone decides how to end. */
function start(node, args) {
  const server = spawn(node, [join(ROOT, "src", "cli", "main.ts"), ...args], { stdio: "inherit" });
  for (const signal of STOP_SIGNALS) process.on(signal, () => server.kill(signal));
  // npm's shell is replaced by this process (`exec` in package.json), so npm hands signals on to it and waits. Where a shell stays in between,
  // npm ends the shell alone: whoever started this is gone then, and nobody could tell it to stop any more.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event !== undefined) {
    setInterval(() => {
      if (process.ppid !== parent) server.kill("SIGTERM");
    }, PARENT_LOOK_MS).unref();
  }
  server.on("error", (error) => fail(`fanfare: the server could not be started: ${error.message}`));
  server.on("exit", (status, signal) => process.exit(exitCode(status, signal)));
}

const [command, ...args] = process.argv.slice(2);
const PACKAGED = {
  biome: join(MODULES, "@biomejs", "biome", "bin", "biome"),
  tsc: join(MODULES, "typescript", "bin", "tsc"),
  knip: join(MODULES, "knip", "bin", "knip.js"),
  vitest: join(MODULES, "vitest", "vitest.mjs"),
  vite: join(MODULES, "vite", "bin", "vite.js"),
};

/** What the dashboard is made of, and the file that is there once it is made. */
const DASHBOARD_SOURCES = ["web", join("src", "api-contract"), "package-lock.json"];
const DASHBOARD = join(ROOT, "dist-web", "index.html");

function newestChange(path) {
  const own = statSync(path);
  if (!own.isDirectory()) return own.mtimeMs;
  return Math.max(own.mtimeMs, ...readdirSync(path).map((name) => newestChange(join(path, name))));
}

/** Builds the dashboard into dist-web/, whole or not at all, unless what is there is newer than everything it is made of. */
async function buildDashboard(node) {
  const newest = Math.max(...DASHBOARD_SOURCES.map((path) => newestChange(join(ROOT, path))));
  if (existsSync(DASHBOARD) && statSync(DASHBOARD).mtimeMs > newest) return;
  process.stdout.write("— building the dashboard\n");
  const draft = `${dirname(DASHBOARD)}.unfinished`;
  const options = ["--config", join("web", "vite.config.ts"), "--outDir", draft, "--emptyOutDir"];
  await runQuietly("the dashboard's build (vite)", node, [PACKAGED.vite, "build", ...options]);
  rmSync(dirname(DASHBOARD), { recursive: true, force: true });
  renameSync(draft, dirname(DASHBOARD));
}

function check(node) {
  runStep("lint and format (biome)", node, [PACKAGED.biome, "check", "--error-on-warnings"]);
  runStep("types (tsc)", node, [PACKAGED.tsc, "-p", "tsconfig.json"]);
  runStep("types of the dashboard (tsc)", node, [PACKAGED.tsc, "-p", join("web", "tsconfig.json")]);
  runStep("unused code and packages (knip)", node, [PACKAGED.knip]);
}

async function build(node) {
  // A file that is no longer a source must not stay and be found.
  rmSync(join(ROOT, "dist"), { recursive: true, force: true });
  runStep("emit into dist/ (tsc)", node, [PACKAGED.tsc, "-p", "tsconfig.build.json"]);
  await buildDashboard(node);
}

/** Runs one measurement of `bench/`; its result goes to `docs/results/`. */
async function bench(node, name, options) {
  const file = join(ROOT, "bench", `${name}.ts`);
  if (name === undefined || !existsSync(file)) fail("usage: node scripts/run.mjs bench NAME, for a file of bench/");
  await installTestTools();
  await buildDashboard(node);
  runStep(`bench (${name})`, node, [file, ...options]);
}

const COMMAND_TABLE = {
  async start(node) {
    await buildDashboard(node);
    start(node, args);
  },
  async demo(node) {
    await buildDashboard(node);
    start(node, ["demo", ...args]);
  },
  check,
  build,
  bench: (node) => bench(node, args[0], args.slice(1)),
  "kill-nine": (node) => runStep("kill -9", node, [join(ROOT, "scripts", "kill-nine.mjs"), ...args], { isLast: true }),
  format: (node) => runStep("format (biome)", node, [PACKAGED.biome, "check", "--write"]),
  fuzz: (node) => runStep("fuzz", node, [join(ROOT, "test", "soak", "fuzz.ts"), ...args], { isLast: true }),
  simulate(node) {
    process.env["FANFARE_SIMULATION_SEEDS"] = args[0] ?? "2000";
    runStep("simulation", node, [PACKAGED.vitest, "run", join("test", "relay", "simulation.test.ts")], {
      isLast: true,
    });
  },
  soak: (node) => runStep("soak", node, [join(ROOT, "test", "soak", "soak.ts"), ...args], { isLast: true }),
  async "long-hold"(node) {
    await installTestTools();
    runStep("long hold", node, [join(ROOT, "test", "soak", "long-hold.ts"), ...args], { isLast: true });
  },
  async "fault-matrix"(node) {
    await installTestTools();
    runStep("fault matrix", node, [join(ROOT, "test", "soak", "fault-matrix.ts"), ...args], { isLast: true });
  },
  async "every-byte"(node) {
    await installTestTools();
    runStep("every byte", node, [join(ROOT, "test", "soak", "every-byte.ts"), ...args], { isLast: true });
  },
  async "backup-return"(node) {
    await installTestTools();
    runStep("backup return", node, [join(ROOT, "test", "soak", "backup-return.ts"), ...args], { isLast: true });
  },
  async test(node) {
    await installTestTools();
    if (args.length === 0) {
      check(node);
      await build(node);
    }
    await buildDashboard(node);
    runStep("tests (vitest)", node, [PACKAGED.vitest, "run", ...args], { isLast: true });
  },
};

const run = Object.hasOwn(COMMAND_TABLE, command ?? "") ? COMMAND_TABLE[command] : undefined;
if (run === undefined) fail(`usage: node scripts/run.mjs ${Object.keys(COMMAND_TABLE).join(" | ")}`);
await install();
await run(newEnoughNode());

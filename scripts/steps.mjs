import { spawn, spawnSync } from "node:child_process";
import { constants, setPriority } from "node:os";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
/** Signals that ask a program to stop. */
const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];
/** How often a script that npm started checks that npm is still there, in milliseconds. */
const PARENT_CHECK_MS = 500;
/** Niceness of steps beside another one: they take the processor time that it leaves. */
const BESIDE_NICENESS = 10;

export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}

/**
 * Ends the script as `fail` does, with the output of a command before the message. A pipe takes 64 KiB at once, and what waits for
 * more room is lost with the process.
 */
async function failWith(output, message, code) {
  await new Promise((resolve) => process.stderr.write(`${output}${message}\n`, resolve));
  process.exit(code);
}

/** The exit code that a shell would show: the child's own, or 128 + the signal that ended it. */
function exitCode(status, signal) {
  return status ?? 128 + (constants.signals[signal] ?? 0);
}

export function succeeds(command, args) {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}

/** Starts a command, which ends with this script. `ended` resolves with how it ended and all its output. */
function startStep(command, args, env) {
  const child = spawn(command, args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const end = () => child.kill();
  process.on("exit", end);
  child.on("exit", () => process.off("exit", end));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  const ended = new Promise((resolve) => {
    child.on("error", ({ message }) => resolve({ code: 1, reason: message, output }));
    child.on("close", (status, signal) => {
      const code = exitCode(status, signal);
      resolve({ code, reason: `exit code ${code}`, output });
    });
  });
  return { child, ended };
}

/**
 * Runs a command and shows its output only when it fails, which ends the script. A signal to stop ends the command
 * first; the script then exits with 0, because the next start makes what is missing.
 */
export async function runQuietly(name, command, args, env = process.env) {
  const { child, ended } = startStep(command, args, env);
  let isStopping = false;
  const stop = () => {
    isStopping = true;
    child.kill("SIGTERM");
  };
  for (const each of STOP_SIGNALS) process.on(each, stop);
  const { code, reason, output } = await ended;
  for (const each of STOP_SIGNALS) process.off(each, stop);
  if (isStopping) process.exit(0);
  if (code === 0) return;
  await failWith(output, `fanfare: ${name} failed (${reason})`, code);
}

/**
 * Runs steps at the same time, and shows the output of each when it has ended. When some fail, ends the script once all
 * have ended, with the name of the first of them.
 */
export async function runSideBySide(steps) {
  const failures = await Promise.all(
    steps.map(async ({ name, command, args, env = process.env }) => {
      const { code, reason, output } = await startStep(command, args, env).ended;
      await new Promise((resolve) => process.stdout.write(`— ${name}\n${output}`, resolve));
      return code === 0 ? [] : [{ name, code, reason }];
    }),
  );
  const [first] = failures.flat();
  if (first !== undefined) await failWith("", `fanfare: ${first.name} failed (${first.reason})`, first.code);
}

/**
 * Runs one step and shows its output; ends the script, with the step's name, when it fails. The last step ends it
 * silently: the tests print a closing line, and nothing comes after that.
 */
export function runStep(name, command, args, { isLast = false, env = process.env } = {}) {
  process.stdout.write(`— ${name}\n`);
  const result = spawnSync(command, args, { cwd: ROOT, env, stdio: ["ignore", "inherit", "inherit"] });
  if (result.status === 0) return;
  if (result.error !== undefined) fail(`fanfare: ${name} could not be started: ${result.error.message}`);
  const code = exitCode(result.status, result.signal);
  if (isLast) process.exit(code);
  fail(`fanfare: ${name} failed (exit code ${code})`, code);
}

/**
 * Runs the last step and shows its output, with other steps beside it at a low priority. The first of those that fails
 * stops the last step, shows its own output, and ends the script.
 */
export async function runLastBeside(last, others) {
  process.stdout.write(`— ${last.name}\n`);
  const child = spawn(last.command, last.args, { cwd: ROOT, stdio: ["ignore", "inherit", "inherit"] });
  const stop = (signal) => child.kill(signal);
  for (const each of STOP_SIGNALS) process.on(each, stop);
  const ended = new Promise((resolve) => {
    child.on("error", ({ message }) => fail(`fanfare: ${last.name} could not be started: ${message}`));
    child.on("exit", (status, signal) => resolve(exitCode(status, signal)));
  });
  const beside = others.map(async ({ name, command, args, env = process.env }) => {
    const step = startStep(command, args, env);
    if (step.child.pid !== undefined) setPriority(step.child.pid, BESIDE_NICENESS);
    const { code, reason, output } = await step.ended;
    if (code === 0) return;
    stop("SIGTERM");
    await ended;
    await failWith(output, `fanfare: ${name} failed (${reason})`, code);
  });
  const code = await ended;
  await Promise.all(beside);
  process.exit(code);
}

/**
 * Runs programs in the foreground. They get the signals that this script gets, and then the first program's exit code
 * counts. When one of them ends by itself, the others are stopped, and its exit code counts. `isApart`: Ctrl-C reaches
 * the program through this script only, and not the programs that it started itself.
 */
export function runInForeground(programs) {
  const running = new Set();
  let isStopping = false;
  let code = 0;
  const stopAll = (signal) => {
    isStopping = true;
    for (const child of running) child.kill(signal);
  };
  for (const [index, { name, command, args, env = process.env, isApart = false }] of programs.entries()) {
    const child = spawn(command, args, { cwd: ROOT, env, stdio: "inherit", detached: isApart });
    running.add(child);
    child.on("error", (error) => fail(`fanfare: ${name} could not be started: ${error.message}`));
    child.on("exit", (status, signal) => {
      running.delete(child);
      if (!isStopping || index === 0) code = exitCode(status, signal);
      if (!isStopping) stopAll("SIGTERM");
      if (running.size === 0) process.exit(code);
    });
  }
  for (const signal of STOP_SIGNALS) process.on(signal, () => stopAll(signal));
  // `exec` in package.json replaces npm's shell by this process, so npm passes signals on to it. Where a shell stays in
  // between, npm ends that shell alone. Then the parent changes, and no signal would ever come.
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return;
  setInterval(() => {
    if (process.ppid !== parent) stopAll("SIGTERM");
  }, PARENT_CHECK_MS).unref();
}

import { type ChildProcessByStdio, spawn } from "node:child_process";
import type { Readable, Writable } from "node:stream";
import { onTestFinished } from "vitest";
import { commandLineFile, ROOT } from "./fanfare-process.ts";
import { waitFor } from "./waiting.ts";

const WAIT_MS = 15_000;

type Line = Readonly<Record<string, unknown>>;

/** `fanfare testkit …` as a process of its own, and the events that it printed. It ends with the test. */
export class KitCommand {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #closed: Promise<number | string>;
  #stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, [commandLineFile(), "testkit", ...args], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "pipe"],
    });
    onTestFinished(() => void this.#child.kill("SIGKILL"));
    this.#child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#stdout += text;
    });
    // `close`, not `exit`: by then all its output has been read.
    this.#closed = new Promise((resolve) => {
      this.#child.once("close", (code, signal) => resolve(code ?? signal ?? ""));
    });
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
    });
  }

  get stdout(): string {
    return this.#stdout;
  }

  get lines(): Line[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n") + 1);
    return whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Line);
  }

  async until(wanted: Line): Promise<Line> {
    return await waitFor(
      JSON.stringify(wanted),
      WAIT_MS,
      () => this.lines.find((line) => Object.entries(wanted).every(([name, value]) => line[name] === value)),
      () => `${this.#stdout}${this.stderr}`,
    );
  }

  async port(): Promise<number> {
    return Number((await this.until({ event: "listening" }))["port"]);
  }

  tell(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal; by then all that it printed is there. */
  async ended(): Promise<number | string> {
    return await this.#closed;
  }
}

import { createInterface } from "node:readline";
import { ConfigError } from "../../../app/config/config-error.ts";
import { systemClock } from "../../../base/clock.ts";
import { FaultProxy } from "../../../testkit/proxy/fault-proxy.ts";
import type { FlowShape } from "../../../testkit/proxy/proxy-flow.ts";
import {
  type CommandUsage,
  duration,
  type Option,
  type OptionValues,
  oneOf,
  parseDuration,
  present,
  readOptions,
  text,
  usageText,
  wholeNumber,
} from "../options.ts";
import { printEvent, untilStopped } from "./testkit-output.ts";

const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const PORT_DEFAULT = 1_937;

const place: Option<{ readonly host: string; readonly port: number }> = {
  parse: (given) => {
    const match = /^(.+):(\d{1,5})$/.exec(given);
    const port = Number(match?.[2]);
    if (match?.[1] === undefined || port < 1 || port > 65_535) return undefined;
    return { host: match[1].replace(/^\[|\]$/g, ""), port };
  },
  allowed: "HOST:PORT",
  help: "Where it passes everything on to.",
};

const OPTIONS = {
  to: place,
  host: text("a host name or an address", "Where it listens (default 127.0.0.1)."),
  port: wholeNumber(0, 65_535, "Where it listens (default 1937; 0: any free port)."),
  delay: duration("How much later every byte arrives, each way."),
  "bytes-per-second": wholeNumber(1, BYTES_MAX, "How fast bytes are passed on, each way."),
  state: oneOf(["open", "stalled", "blackhole"], "How it begins (default open)."),
  "stall-after": duration("This long after its start it stops reading."),
  "blackhole-after": duration("This long after its start it swallows everything, ends of connections too."),
  "resume-after": duration("This long after its start it passes everything on again."),
  "reset-after": duration("This long after its start it resets all connections."),
} as const;

const COMMAND: CommandUsage<typeof OPTIONS, never> = {
  usage: "fanfare testkit proxy --to HOST:PORT [options]",
  about: `A TCP proxy that is a bad network. It also does what it reads from its input, a line each: stall, blackhole, resume
(of both directions, or with the word up or down behind it), reset, half-close up, half-close down, delay 50ms,
bytes-per-second 10000, fast (no delay, no rate).`,
  options: OPTIONS,
  switches: {},
};

/** `fanfare testkit proxy` */
export async function runProxy(args: readonly string[]): Promise<string> {
  const given = readOptions(args, COMMAND);
  if (given === "help") return usageText(COMMAND);
  const { values } = given;
  if (values.to === undefined) throw new ConfigError("--to is missing (--help lists all options)");
  const shape = present({ delayMs: values.delay, bytesPerSecond: values["bytes-per-second"] });
  const proxy = await FaultProxy.start({
    to: values.to,
    port: values.port ?? PORT_DEFAULT,
    shape,
    ...present({ host: values.host, state: values.state }),
    onEvent: printEvent,
  });
  printEvent({ event: "listening", port: proxy.port });
  schedule(proxy, values);
  const input = createInterface({ input: process.stdin });
  const obey = obeyed(proxy, shape);
  input.on("line", (line) =>
    printEvent(obey(line.trim()) ? { event: "done", line } : { event: "not-understood", line }),
  );
  await untilStopped();
  input.close();
  await proxy.close();
  // A terminal's input keeps the process alive once it was read.
  process.stdin.destroy();
  return "";
}

function schedule(proxy: FaultProxy, values: OptionValues<typeof OPTIONS>): void {
  const at = (delayMs: number | undefined, name: string, run: () => void): void => {
    if (delayMs === undefined) return;
    systemClock.startTimer(delayMs, () => {
      run();
      printEvent({ event: "done", line: name });
    });
  };
  at(values["stall-after"], "stall", () => proxy.stall());
  at(values["blackhole-after"], "blackhole", () => proxy.blackhole());
  at(values["resume-after"], "resume", () => proxy.resume());
  at(values["reset-after"], "reset", () => proxy.reset());
}

/** Obeys one line of input. Returns false for an unknown line. */
function obeyed(proxy: FaultProxy, first: FlowShape): (line: string) => boolean {
  let shape = first;
  return (line) => {
    const [word = "", argument, ...rest] = line.split(/\s+/);
    if (rest.length > 0) return false;
    const direction = argument === "up" || argument === "down" ? argument : undefined;
    if (word === "delay" || word === "bytes-per-second" || word === "fast") {
      const changed = reshaped(shape, word, argument);
      if (changed === undefined) return false;
      shape = changed;
      proxy.shape(shape);
      return true;
    }
    if (argument !== undefined && direction === undefined) return false;
    if (word === "stall") proxy.stall(direction);
    else if (word === "blackhole") proxy.blackhole(direction);
    else if (word === "resume") proxy.resume(direction);
    else if (word === "reset" && argument === undefined) proxy.reset();
    else if (word === "half-close" && direction !== undefined) proxy.halfClose(direction);
    else return false;
    return true;
  };
}

function reshaped(
  shape: FlowShape,
  word: "delay" | "bytes-per-second" | "fast",
  argument: string | undefined,
): FlowShape | undefined {
  if (word === "fast") return argument === undefined ? {} : undefined;
  if (argument === undefined) return undefined;
  if (word === "delay") {
    const delayMs = parseDuration(argument);
    return delayMs === undefined || delayMs < 0 ? undefined : { ...shape, delayMs };
  }
  const bytesPerSecond = OPTIONS["bytes-per-second"].parse(argument);
  return bytesPerSecond === undefined ? undefined : { ...shape, bytesPerSecond };
}

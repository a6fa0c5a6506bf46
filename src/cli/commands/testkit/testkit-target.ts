import { mkdir } from "node:fs/promises";
import { KitTarget } from "../../../testkit/target/target.ts";
import {
  CLOSE_STAGES,
  type Moment,
  REFUSAL_NAMES,
  SILENT_STAGES,
  type TargetBehaviour,
  WRONG_ANSWERS,
} from "../../../testkit/target/target-behaviour.ts";
import { LOGIN_SCHEMES, type TargetLogin } from "../../../testkit/target/target-login.ts";
import type { TargetEvent } from "../../../testkit/target/target-report.ts";
import {
  type CommandUsage,
  duration,
  type Option,
  type OptionValues,
  oneOf,
  present,
  readOptions,
  text,
  usageText,
  wholeNumber,
} from "../options.ts";
import { printEvent, untilStopped } from "./testkit-output.ts";

const BYTES_MAX = Number.MAX_SAFE_INTEGER;
const CONNECTIONS_MAX = 1_000_000;

const acknowledge: Option<number | "never"> = {
  parse: (given) => (given === "never" ? "never" : wholeNumber(1, BYTES_MAX, "").parse(given)),
  allowed: "never, or a number of bytes",
  help: "How often it acknowledges (default: each window that the peer announces).",
};

const login: Option<TargetLogin> = {
  parse: (given) => {
    const [, word, id = "", password = ""] = /^([a-z]+):([^:]+):(.*)$/s.exec(given) ?? [];
    const scheme = LOGIN_SCHEMES.find((name) => name === word);
    return scheme === undefined ? undefined : { scheme, id, password };
  },
  allowed: `SCHEME:USER:PASSWORD, the scheme one of ${LOGIN_SCHEMES.join(", ")}`,
  help: "Accepts only this login.",
};

const OPTIONS = {
  host: text("a host name or an address", "Where it listens (default 127.0.0.1)."),
  port: wholeNumber(0, 65_535, "Where it listens (default 1936; 0: any free port)."),
  record: text("a folder", "Each publication becomes an FLV file in it."),
  refuse: oneOf(REFUSAL_NAMES, "Refuses with this status."),
  login,
  redirect: text("an RTMP address", "Refuses every encoder and names this server."),
  "stream-number": wholeNumber(0, 0xff_ff_ff_ff, "The stream id in its reply to createStream (default 1)."),
  "close-at": oneOf(CLOSE_STAGES, "Closes without a message where it should answer this."),
  "silent-at": oneOf(SILENT_STAGES, "Stays connected and does not reply from here on."),
  answer: oneOf(WRONG_ANSWERS, "Sends a wrong reply."),
  "split-bytes": wholeNumber(1, 65_536, "Sends its replies in pieces of this many bytes."),
  "chunk-size": wholeNumber(1, 0x7f_ff_ff_ff, "The chunk size that it announces (default 4096)."),
  "bytes-per-second": wholeNumber(1, BYTES_MAX, "It reads no faster."),
  "stall-after": duration("This long after it accepted the publication it stops reading."),
  "stall-after-bytes": wholeNumber(0, BYTES_MAX, "The same, after so many bytes."),
  "resume-after": duration("How long it stalls (default: for ever)."),
  "close-after": duration("This long after it accepted the publication it closes without a message."),
  "close-after-bytes": wholeNumber(0, BYTES_MAX, "The same, after so many bytes."),
  "reset-after": duration("This long after it accepted the publication it resets the connection."),
  "reset-after-bytes": wholeNumber(0, BYTES_MAX, "The same, after so many bytes."),
  acknowledge,
  "only-first": wholeNumber(1, CONNECTIONS_MAX, "Only this many connections are treated badly, all later ones well."),
} as const;

const COMMAND: CommandUsage<typeof OPTIONS, "messages" | "plain"> = {
  usage: "fanfare testkit target [options]",
  about: "An RTMP server that accepts every key. Without options it behaves well.",
  options: OPTIONS,
  switches: {
    messages: "Prints every message: kind, time, size, SHA-256, keyframe, configuration.",
    plain: "Does not mention Enhanced RTMP.",
  },
};

const PORT_DEFAULT = 1_936;

/** `fanfare testkit target` */
export async function runTarget(args: readonly string[]): Promise<string> {
  const given = readOptions(args, COMMAND);
  if (given === "help") return usageText(COMMAND);
  const { values, switches } = given;
  const { host, record, port = PORT_DEFAULT, "only-first": badCount = CONNECTIONS_MAX } = values;
  if (record !== undefined) await mkdir(record, { recursive: true });
  const bad = { ...behaviour(values), isPlain: switches.has("plain") };
  const target = await KitTarget.start({
    port,
    behaviour: (index) => (index < badCount ? bad : {}),
    reportsMessages: switches.has("messages"),
    ...present({ host, recordInto: record }),
    onEvent: (event) => printEvent(shown(event)),
  });
  printEvent({ event: "listening", port: target.port });
  await untilStopped();
  await target.close();
  return "";
}

/**
 * The printed form of an event: without the stream key, and for a closed connection without what was printed before.
 */
function shown(event: TargetEvent): object {
  if (event.event !== "closed") return event;
  const { app, stage, state, bytesReceived, mediaBytes, recordings } = event.report;
  return { event: "closed", connection: event.connection, app, stage, state, bytesReceived, mediaBytes, recordings };
}

function behaviour(values: OptionValues<typeof OPTIONS>): TargetBehaviour {
  const stall = moment(values["stall-after"], values["stall-after-bytes"]);
  return present({
    refuse: values.refuse,
    login: values.login,
    redirect: values.redirect,
    streamNumber: values["stream-number"],
    answer: values.answer,
    acknowledge: values.acknowledge,
    closeAt: values["close-at"],
    silentAt: values["silent-at"],
    splitBytes: values["split-bytes"],
    chunkSize: values["chunk-size"],
    bytesPerSecond: values["bytes-per-second"],
    stall: stall === undefined ? undefined : { ...stall, ...present({ resumeAfterMs: values["resume-after"] }) },
    close: moment(values["close-after"], values["close-after-bytes"]),
    reset: moment(values["reset-after"], values["reset-after-bytes"]),
  });
}

function moment(afterMs: number | undefined, afterBytes: number | undefined): Moment | undefined {
  return afterMs === undefined && afterBytes === undefined ? undefined : present({ afterMs, afterBytes });
}

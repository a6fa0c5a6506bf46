import { readFile } from "node:fs/promises";
import { ConfigError } from "../../../app/config/config-error.ts";
import { type Clip, fileClip, loopedClip, syntheticClip, VIDEO_NAMES } from "../../../testkit/encoder/clip.ts";
import { type EncoderEvent, KitEncoder } from "../../../testkit/encoder/encoder.ts";
import type { TimeJump } from "../../../testkit/encoder/encoder-time.ts";
import { readFlv } from "../../../testkit/flv-file.ts";
import {
  type CommandUsage,
  duration,
  type Option,
  type OptionValues,
  oneOf,
  parseDuration,
  present,
  readOptions,
  signedDuration,
  text,
  usageText,
  wholeNumber,
} from "../options.ts";
import { printEvent } from "./testkit-output.ts";

const SECONDS_MAX = 1_000_000;
const KILOBITS_MAX = 1_000_000;
const SPEED_MAX = 10_000;

const speed: Option<number> = {
  parse: (given) => {
    if (given === "max") return Number.POSITIVE_INFINITY;
    const value = /^\d{1,5}(?:\.\d{1,3})?$/.test(given) ? Number(given) : 0;
    return value > 0 && value <= SPEED_MAX ? value : undefined;
  },
  allowed: `max, or a number up to ${SPEED_MAX} such as 4 or 0.5`,
  help: "How much faster than real time (default 1).",
};

const jumps: Option<readonly TimeJump[]> = {
  parse: (given) => {
    const read = given.split(",").map(parseJump);
    return read.every((jump) => jump !== undefined) ? read : undefined;
  },
  allowed: "AT:BY pairs such as 10s:+1h,20s:-1h",
  help: "At each AT of the clip the encoder's clock is set, by BY.",
};

function parseJump(given: string): TimeJump | undefined {
  const [at = "", by = ""] = given.split(":");
  const atMs = parseDuration(at);
  const byMs = parseDuration(by);
  return atMs === undefined || byMs === undefined || atMs < 0 ? undefined : { atMs, byMs };
}

const OPTIONS = {
  url: text("rtmp://host:port/app, with the key behind it unless --key is given", "Where to publish."),
  key: text("any text", "The stream key (default: what follows the last / of the URL)."),
  clip: text("an FLV file", "What to publish (default: a synthetic clip, without any encoder)."),
  video: oneOf([...VIDEO_NAMES, "none"], "The synthetic clip's video (default 180p; -b: with B-frames)."),
  "sample-rate": oneOf(["44100", "48000"], "Its audio, in hertz (default 48000)."),
  channels: oneOf(["1", "2", "none"], "Its audio channels (default 2; none: no audio)."),
  kilobits: wholeNumber(1, KILOBITS_MAX, "Its video is padded to this rate."),
  seconds: wholeNumber(1, SECONDS_MAX, "Its length (default: endless)."),
  speed,
  "start-at": duration("Timestamp of the first message (default 0; 2147483648ms is 2 to the 31st)."),
  jump: jumps,
  "video-skew": signedDuration("How much later video timestamps are than audio timestamps."),
  "freeze-after": duration("At this time of the clip it stops sending and stays connected."),
  "freeze-for": duration("How long it is frozen (default: for ever)."),
  "vanish-after": duration("At this time of the clip it resets the connection."),
  "close-after": duration("At this time of the clip it closes the connection without FCUnpublish and deleteStream."),
  "garbage-at": wholeNumber(1, Number.MAX_SAFE_INTEGER, "Instead of this message it sends bytes that are not RTMP."),
} as const;

const COMMAND: CommandUsage<typeof OPTIONS, "loop" | "follow-requests"> = {
  usage: "fanfare testkit encoder --url rtmp://host:port/app/key [options]",
  about:
    "An encoder. Ends with 0 when the clip is over, when it was stopped, or when it failed as its options say; else with 1.",
  options: OPTIONS,
  switches: {
    loop: "The clip over and over, as one stream.",
    "follow-requests":
      "It announces that it follows ReconnectRequests, and does: it continues at the new address, from a keyframe.",
  },
};

/** `fanfare testkit encoder` */
export async function runEncoder(args: readonly string[]): Promise<string> {
  const given = readOptions(args, COMMAND);
  if (given === "help") return usageText(COMMAND);
  const { values, switches } = given;
  const clip = await clipOf(values);
  const encoder = startEncoder(values, switches.has("loop") ? loopedClip(clip) : clip, switches.has("follow-requests"));
  const stop = (): void => void encoder.stop("clean");
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const { end } = await encoder.closed;
  const isAsWanted =
    end?.how === "finished" || end?.how === "stopped" || end?.how === "vanished" || end?.how === "closed";
  if (!isAsWanted) process.exitCode = 1;
  return "";
}

function startEncoder(values: OptionValues<typeof OPTIONS>, clip: Clip, followsReconnectRequests: boolean): KitEncoder {
  const freezeAtMs = values["freeze-after"];
  try {
    return new KitEncoder({
      ...placeOf(values),
      clip,
      followsReconnectRequests,
      time: present({ startMs: values["start-at"], jumps: values.jump, videoSkewMs: values["video-skew"] }),
      ...present({
        speed: values.speed,
        freeze:
          freezeAtMs === undefined ? undefined : { atMs: freezeAtMs, ...present({ forMs: values["freeze-for"] }) },
        vanishAtMs: values["vanish-after"],
        closeAtMs: values["close-after"],
        garbageAtMessage: values["garbage-at"],
      }),
      onEvent: (event) => printEvent(shown(event)),
    });
  } catch (error) {
    throw new ConfigError(`--url: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function shown(event: EncoderEvent): object {
  return event.event === "ended" ? { event: "ended", ...event.report } : event;
}

function placeOf({ url, key }: OptionValues<typeof OPTIONS>): { url: string; streamKey: string } {
  if (url === undefined) throw new ConfigError("--url is missing (--help lists all options)");
  if (key !== undefined) return { url, streamKey: key };
  const slash = url.lastIndexOf("/");
  return { url: url.slice(0, slash), streamKey: url.slice(slash + 1) };
}

async function clipOf(values: OptionValues<typeof OPTIONS>): Promise<Clip> {
  const { clip, channels } = values;
  if (clip !== undefined) {
    try {
      return fileClip(readFlv(await readFile(clip)));
    } catch (error) {
      throw new ConfigError(`--clip ${clip}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const sampleRate = values["sample-rate"] === "44100" ? 44_100 : 48_000;
  const audio = channels === "none" ? "none" : ({ sampleRate, channels: channels === "1" ? 1 : 2 } as const);
  return syntheticClip({
    audio,
    ...present({ video: values.video, kilobits: values.kilobits, seconds: values.seconds }),
  });
}

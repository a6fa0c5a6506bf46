import { availableParallelism } from "node:os";
import { cidrs, countUpTo, oneOf, parsed, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

const RETRIES_PER_SECOND_MAX = 1_000;

/** More threads than this are a typing error. */
const MEDIA_THREADS_MAX = 64;

/** One core is left for the control thread. Only Linux shares a port among threads, so elsewhere there is one thread. */
const MEDIA_THREADS_DEFAULT = process.platform === "linux" ? Math.max(1, availableParallelism() - 1) : 1;

/**
 * Reads `name=value,name=value`, with percent-encoded values. Spaces around a name or a value do not count, and may be in a
 * value.
 */
function parseHeaders(text: string): Readonly<Record<string, string>> | undefined {
  const pairs = text
    .split(",")
    .map((pair) => /^\s*([A-Za-z0-9-]{1,64})\s*=\s*([\x21-\x7e][\x20-\x7e]{0,2000}?)\s*$/.exec(pair));
  const headers = pairs.map((pair) => [pair?.[1]?.toLowerCase() ?? "", decoded(pair?.[2] ?? "")] as const);
  return headers.some(([, value]) => value === "") ? undefined : Object.fromEntries(headers);
}

/** Decodes a percent-encoded value of a header. Returns "" for what a header cannot hold. */
function decoded(text: string): string {
  try {
    const value = decodeURIComponent(text);
    return /^[\x21-\x7e][\x20-\x7e]*$/.test(value) ? value : "";
  } catch {
    return "";
  }
}

/** The settings of encoders, relaying and targets, and of the process. */
export const MEDIA_SETTINGS = {
  mediaThreads: setting(
    "FANFARE_MEDIA_THREADS",
    parsed(
      (text) => countUpTo(MEDIA_THREADS_MAX)(text),
      `a whole number from 1 to ${MEDIA_THREADS_MAX} (more than 1 on Linux only)`,
    ),
    "Media threads, on one port (default: one fewer than there are cores).",
    String(Math.min(MEDIA_THREADS_DEFAULT, MEDIA_THREADS_MAX)),
  ),
  connectionsMax: setting(
    "FANFARE_INGEST_CONNECTIONS",
    parsed(countUpTo(65_535), "a whole number from 1 to 65535"),
    "Connections of encoders at a time; those without a valid key make room for others.",
    "4096",
  ),
  strangersPerAddressMax: setting(
    "FANFARE_INGEST_CONNECTIONS_PER_ADDRESS",
    parsed(countUpTo(65_535), "a whole number from 1 to 65535"),
    "Connections of one address that have not shown a valid key yet.",
    "64",
  ),
  targetAllow: setting(
    "FANFARE_TARGET_ALLOW",
    cidrs,
    "Loopback or private networks in which targets and webhooks are allowed: comma-separated CIDRs.",
    "",
  ),
  retriesPerSecond: setting(
    "FANFARE_RETRIES_PER_SECOND",
    parsed(
      (text) => (/^[1-9]\d{0,3}$/.test(text) && Number(text) <= RETRIES_PER_SECOND_MAX ? Number(text) : undefined),
      `a whole number from 1 to ${RETRIES_PER_SECOND_MAX}`,
    ),
    "Reconnections to platforms within a second, for all channels together.",
    "20",
  ),
  loadMaxPercent: setting(
    "FANFARE_LOAD_MAX",
    parsed(
      (text) => (/^([1-9]\d|100)$/.test(text) ? Number(text) : undefined),
      "a whole number from 10 to 100 (100: no limit)",
    ),
    "Per cent of its time that a media thread may be busy, over ten seconds; above it channels that are not on air are refused.",
    "95",
  ),
  shutdown: setting(
    "FANFARE_SHUTDOWN",
    oneOf(["cut", "end"]),
    "How platforms are left when the server stops: without a message (cut: their own grace period runs), or with the end of the broadcast (end).",
    "cut",
  ),
  directSockets: setting(
    "FANFARE_DIRECT_SOCKETS",
    oneOf(["on", "off"]),
    "Whether plain RTMP connections are read and written, and the kernel's queues asked, by direct system calls (on), or by Node's streams and the kernel's table (off).",
    "on",
  ),
  otlpEndpoint: setting(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    text("an address such as http://127.0.0.1:4318", /^https?:\/\/[^\s?#@]{1,1000}$/),
    "OpenTelemetry receiver (OTLP over HTTP) that gets traces (default: none, nothing is traced).",
  ),
  otlpHeaders: setting(
    "OTEL_EXPORTER_OTLP_HEADERS",
    parsed(parseHeaders, "NAME=VALUE pairs with commas between them; %2C in a value is a comma"),
    "Headers of the requests to that receiver, such as a login. Not a flag: they may be secret.",
  ),
  tracesDisabled: setting(
    "OTEL_SDK_DISABLED",
    parsed((text) => text.toLowerCase() === "true", "true, or anything else for false"),
    "true: nothing is traced.",
    "false",
  ),
  traceServiceName: setting(
    "OTEL_SERVICE_NAME",
    text("a name of up to 255 characters", /^[^\p{Cc}]{1,255}$/u),
    "The name of this program in traces.",
    "fanfare",
  ),
  traceSampler: setting(
    "OTEL_TRACES_SAMPLER",
    oneOf([
      "parentbased_always_on",
      "parentbased_always_off",
      "parentbased_traceidratio",
      "always_on",
      "always_off",
      "traceidratio",
    ]),
    "Which traces are recorded; with parentbased, what a caller decided counts.",
    "parentbased_always_on",
  ),
  traceSamplerArg: setting(
    "OTEL_TRACES_SAMPLER_ARG",
    parsed(
      (text) => (/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/.test(text) ? Number(text) : undefined),
      "a number from 0 to 1",
    ),
    "The part of all traces that a sampler with traceidratio records.",
    "1",
  ),
  logLevel: setting(
    "FANFARE_LOG_LEVEL",
    oneOf(["debug", "info", "warn", "error", "silent"]),
    "Least severe log line.",
    "info",
  ),
} as const;

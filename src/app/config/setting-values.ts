import { z } from "zod";
import { parseCidrList } from "../../net/cidr-list.ts";

/** A check that parses the text. `parse` returns undefined for what is not allowed; `allowed` completes "allowed is …". */
export function parsed<Value>(parse: (text: string) => Value | undefined, allowed: string) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: allowed });
    return z.NEVER;
  });
}

export const port = (allowed: string) =>
  parsed((text) => (/^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined), allowed);
export const PORT_ALLOWED = "a port number from 0 (any free one) to 65535";

export const hostName = z.string().regex(/^[A-Za-z0-9._:[\]-]{1,253}$/, "a host name or an IP address");

export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, `one of ${words.join(", ")}`);

export const cidrs = parsed((text) => {
  try {
    parseCidrList(text);
    return text;
  } catch {
    return undefined;
  }
}, "a comma-separated list of networks such as 10.0.0.0/8,fd00::/8");

/** Reads `127.0.0.1:9464` or `[::1]:9464`; undefined for anything else. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = "", portText = ""] = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):(\d{1,5})$/.exec(text) ?? [];
  const value = Number(portText);
  return value >= 1 && value <= 65_535 ? { host: host.replace(/^\[|\]$/g, ""), port: value } : undefined;
}

export const publishUrl = z
  .string()
  .max(1_024)
  .regex(
    /^rtmps?:\/\/[^\s/]+\/[^\s]*[^\s/]$/,
    "an address such as rtmp://live.example.com:1935/relay, without a slash at its end",
  );

export const securePublishUrl = z
  .string()
  .max(1_024)
  .regex(
    /^rtmps:\/\/[^\s/]+\/[^\s]*[^\s/]$/,
    "an address such as rtmps://live.example.com:1936/relay, without a slash at its end",
  );

export const srtUrl = z
  .string()
  .max(1_024)
  .regex(/^srt:\/\/[^\s/?#]+:\d{1,5}$/, "an address such as srt://live.example.com:8890");

export const countUpTo = (max: number) => (digits: string) =>
  /^[1-9]\d{0,4}$/.test(digits) && Number(digits) <= max ? Number(digits) : undefined;

export const text = (allowed: string, pattern: RegExp) => z.string().regex(pattern, allowed);

import type { JobLimits } from "./job-limits.ts";

/** Exit codes of a shell whose child was ended by a signal. */
const SIGNAL_CODES = { killed: 128 + 9, cpuTime: 128 + 24, fileSize: 128 + 25 } as const;
const CANNOT_LIMIT = 125;
const CHARACTERS_MAX = 200;

/** Says in one sentence why a child failed: from its exit code, and from the last line of its messages. */
export function reasonOf(code: number, messages: string, { cpuSeconds, fileBytes }: JobLimits): string {
  if (code === SIGNAL_CODES.cpuTime) return `it used more than ${cpuSeconds ?? 0} s of CPU time`;
  if (code === SIGNAL_CODES.fileSize) return `it wrote a file of more than ${fileBytes} bytes`;
  if (code === SIGNAL_CODES.killed) return "the system killed it";
  if (code === CANNOT_LIMIT) return "its limits could not be set";
  if (/cannot allocate memory/i.test(messages)) return "it needed more memory than it may have";
  const line = withoutAddresses(messages)
    .split("\n")
    .map((each) => each.trim().replace(/^\[[^\]]*\]\s*/, ""))
    .findLast((each) => each !== "");
  return line === undefined ? `it ended with code ${code}` : line.slice(0, CHARACTERS_MAX);
}

/** Addresses may hold passwords and keys; paths of this machine are not for clients. Also replaces unprintable bytes. */
export function withoutAddresses(messages: string): string {
  return messages
    .replaceAll("\n", " \n ")
    .split(" ")
    .map(withoutAddress)
    .join(" ")
    .replace(/[^\x20-\x7e\n]/g, "?");
}

/** `rtmp://host/app/key:` → `the source:`, `file:/folder/name:` → `name:`; any other word as it is. */
function withoutAddress(word: string): string {
  if (word.includes("://")) return word.endsWith(":") ? "the source:" : "the source";
  const folders = word.lastIndexOf("/");
  return word.startsWith("/") || word.startsWith("file:/") ? word.slice(folders + 1) : word;
}

import { hostname as systemHostname } from "node:os";
import { readHost } from "../../base/host-name.ts";
import { ChangingFile } from "../changing-file.ts";

/** How the system completes names, from resolv.conf(5). */
export type SearchRules = {
  readonly domains: readonly string[];
  /** A name with at least this many dots is tried as it is before it is completed. */
  readonly dotsMin: number;
};

const BYTES_MAX = 64 * 1024;
const LINES_MAX = 1_000;
/** Each costs a look-up that the target waits for. */
const DOMAINS_MAX = 8;
const DOTS_DEFAULT = 1;
/** The limit of resolv.conf(5) itself. */
const DOTS_MAX = 15;

const NOTHING: SearchRules = { domains: [], dotsMin: DOTS_DEFAULT };

const wordsOf = (line: string): readonly string[] => line.split(/[ \t]/).filter((word) => word !== "");

/** `hostname`: this machine's; its domain is searched where the file names none. */
export function parseResolvConf(text: string, hostname: string): SearchRules {
  let domains = [hostname.slice(hostname.indexOf(".") + 1 || hostname.length)];
  let dotsMin = DOTS_DEFAULT;
  for (const line of text.split("\n", LINES_MAX)) {
    const [keyword, ...words] = wordsOf(line.trim());
    // Of several lines the last one counts.
    if (keyword === "search") domains = words.slice(0, DOMAINS_MAX);
    else if (keyword === "domain") domains = words.slice(0, 1);
    else if (keyword === "options") dotsMin = dotsOf(words) ?? dotsMin;
  }
  return { domains: domains.flatMap(canonical), dotsMin };
}

function dotsOf(words: readonly string[]): number | undefined {
  const given = words.findLast((word) => /^ndots:\d{1,9}$/.test(word));
  return given === undefined ? undefined : Math.min(Number(given.slice("ndots:".length)), DOTS_MAX);
}

/** Leaves out what is not a domain, and the root, which completes nothing. */
function canonical(domain: string): string[] {
  const read = readHost(domain);
  return read.kind === "name" ? [read.name] : [];
}

const NAME_CHARACTERS_MAX = 253;

/** The names to look up for `name`, in the system's order. */
export function searchNames(name: string, { domains, dotsMin }: SearchRules): readonly string[] {
  const completed = domains.map((domain) => `${name}.${domain}`).filter((full) => full.length <= NAME_CHARACTERS_MAX);
  const dots = name.split(".").length - 1;
  return dots >= dotsMin ? [name, ...completed] : [...completed, name];
}

/** resolv.conf(5), read again when it has changed. Without the file no name is completed. */
export function searchRulesFile(path: string): ChangingFile<SearchRules> {
  const parse = (text: string) => parseResolvConf(text, systemHostname());
  return new ChangingFile({ path, bytesMax: BYTES_MAX, parse, nothing: NOTHING });
}

import { isIP } from "node:net";
import { ChangingFile } from "../changing-file.ts";

/** Some tens of thousands of names, read in some tens of milliseconds. */
const BYTES_MAX = 1024 * 1024;

type Names = ReadonlyMap<string, readonly string[]>;

function parseHosts(text: string): Names {
  const addresses = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address, ...names] = (line.split("#", 1)[0] ?? "").trim().split(/\s+/);
    if (address === undefined || isIP(address) === 0) continue;
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, "");
      const known = addresses.get(key);
      if (known === undefined) addresses.set(key, [address]);
      else if (!known.includes(address)) known.push(address);
    }
  }
  return addresses;
}

/** The machine's own list of names, hosts(5). Without the file there are no names. */
export class HostsFile {
  readonly #file: ChangingFile<Names>;

  constructor(path: string) {
    this.#file = new ChangingFile({ path, bytesMax: BYTES_MAX, parse: parseHosts, nothing: new Map() });
  }

  /**
   * The addresses of a name (lower case, no trailing dot), in the file's order; empty where the file does not have it.
   */
  async addressesOf(name: string): Promise<readonly string[]> {
    return (await this.#file.read()).get(name) ?? [];
  }
}

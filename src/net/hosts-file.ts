import { readFile, stat } from "node:fs/promises";
import { isIP } from "node:net";

type Version = { readonly modifiedNs: bigint; readonly bytes: bigint; readonly inode: bigint };

function parseHosts(text: string): Map<string, string[]> {
  const addresses = new Map<string, string[]>();
  for (const line of text.split(/\r?\n/)) {
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

/** The machine's own list of names, hosts(5), read again when it has changed. Without the file there are no names. */
export class HostsFile {
  readonly #path: string;
  #version: Version | undefined;
  #addresses: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(path: string) {
    this.#path = path;
  }

  /** The addresses the file gives a name (lower case, no trailing dot), in its order; none where it does not know it. */
  async addressesOf(name: string): Promise<readonly string[]> {
    try {
      const { mtimeNs, size, ino } = await stat(this.#path, { bigint: true });
      const seen = this.#version;
      if (seen === undefined || seen.modifiedNs !== mtimeNs || seen.bytes !== size || seen.inode !== ino) {
        this.#addresses = parseHosts(await readFile(this.#path, "utf8"));
        this.#version = { modifiedNs: mtimeNs, bytes: size, inode: ino };
      }
    } catch {
      this.#addresses = new Map();
      this.#version = undefined;
    }
    return this.#addresses.get(name) ?? [];
  }
}

import { open, stat } from "node:fs/promises";

type Version = { readonly modifiedNs: bigint; readonly bytes: bigint; readonly inode: bigint };

export type ChangingFileOptions<Content> = {
  readonly path: string;
  /** Bytes beyond this are not read: other programs write the file, and a thread with other work parses it. */
  readonly bytesMax: number;
  readonly parse: (text: string) => Content;
  /** The content assumed where the file does not exist, or cannot be read. */
  readonly nothing: Content;
};

/** A system file that is read again when it has changed. */
export class ChangingFile<Content> {
  readonly #options: ChangingFileOptions<Content>;
  #version: Version | undefined;
  #content: Content;

  constructor(options: ChangingFileOptions<Content>) {
    this.#options = options;
    this.#content = options.nothing;
  }

  async read(): Promise<Content> {
    const { path, parse, nothing } = this.#options;
    try {
      const { mtimeNs, size, ino } = await stat(path, { bigint: true });
      const seen = this.#version;
      if (seen === undefined || seen.modifiedNs !== mtimeNs || seen.bytes !== size || seen.inode !== ino) {
        this.#content = parse(await this.#beginning());
        this.#version = { modifiedNs: mtimeNs, bytes: size, inode: ino };
      }
    } catch {
      this.#content = nothing;
      this.#version = undefined;
    }
    return this.#content;
  }

  async #beginning(): Promise<string> {
    const { path, bytesMax } = this.#options;
    const file = await open(path);
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.min(size, bytesMax));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const text = buffer.toString("utf8", 0, bytesRead);
      // A line that was cut in the middle is ignored.
      return size > bytesMax ? text.slice(0, text.lastIndexOf("\n") + 1) : text;
    } finally {
      await file.close();
    }
  }
}

import { once } from "node:events";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { stripTypeScriptTypes } from "node:module";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { PROBE_FOLDER, type ThreadProfile, threadSocket } from "./protocol.ts";

/** The program that is loaded into the server, and what it imports. */
const PROGRAM = ["preload", "allocation-sites", "buffer-count", "protocol"];

const memory = z.object({
  rss: z.number(),
  heapUsed: z.number(),
  heapTotal: z.number(),
  external: z.number(),
  arrayBuffers: z.number(),
});
/** Bytes; `rss` of the whole process, the others of the thread that replied. */
export type ThreadMemory = z.infer<typeof memory>;

const profile = z.object({
  seconds: z.number(),
  sites: z.array(z.object({ name: z.string(), place: z.string(), bytes: z.number() })),
  bufferBytes: z.record(z.string(), z.number()),
});

/** A server's threads as they are. */
export type ProbedThread = "control" | "media";

/** Looks into a Fanfare that was started with `environment`. */
export class ServerProbe {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Keeps its sockets in this folder, which should have a short name: a Unix socket's has at most 107 characters. */
  static async in(folder: string): Promise<ServerProbe> {
    const own = await mkdtemp(join(folder, "probe-"));
    // As JavaScript: a thread that strips types takes 15 MB for that.
    for (const name of PROGRAM) {
      const source = await readFile(join(import.meta.dirname, `${name}.ts`), "utf8");
      await writeFile(join(own, `${name}.mjs`), stripTypeScriptTypes(source).replaceAll('.ts";', '.mjs";'));
    }
    return new ServerProbe(own);
  }

  /** Variables for the server. */
  get environment(): Record<string, string> {
    const options = [process.env["NODE_OPTIONS"], `--import=${join(this.#folder, "preload.mjs")}`].filter(
      (each) => each !== undefined,
    );
    return { [PROBE_FOLDER]: this.#folder, NODE_OPTIONS: options.join(" ") };
  }

  /** Memory that is held, after a collection. */
  async memory(thread: ProbedThread): Promise<ThreadMemory> {
    return memory.parse(await this.#ask(thread, "memory"));
  }

  /** What the thread allocates within so many seconds. */
  async profile(thread: ProbedThread, seconds: number): Promise<ThreadProfile> {
    return profile.parse(await this.#ask(thread, `profile ${seconds}`));
  }

  /** Writes a heap snapshot, for Chromium's developer tools. */
  async snapshot(thread: ProbedThread, file: string): Promise<void> {
    await this.#ask(thread, `snapshot ${file}`);
  }

  async #ask(thread: ProbedThread, question: string): Promise<unknown> {
    const socket = connect(threadSocket(this.#folder, thread));
    try {
      await once(socket, "connect");
      const lines = createInterface({ input: socket });
      socket.write(`${question}\n`);
      const [line] = await once(lines, "line");
      return JSON.parse(String(line));
    } finally {
      socket.destroy();
    }
  }
}

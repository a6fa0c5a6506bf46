import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { runToEnd } from "./children.ts";

/** Small enough to be filled at once, and with room for a database. */
const SIZE = "4m";
const BLOCK_BYTES = 4_096;
const BLOCKS_MAX = 2_000;

/** A file system of its own at a folder, until the test is over. */
export class SmallDisk {
  readonly folder: string;
  readonly #filler: string;

  private constructor(folder: string) {
    this.folder = folder;
    this.#filler = join(folder, "filler");
  }

  /** Makes the folder. */
  static async mount(folder: string, whenOver = onTestFinished): Promise<SmallDisk> {
    mkdirSync(folder, { recursive: true });
    const mount = ["-t", "tmpfs", "-o", `size=${SIZE},mode=700`, "tmpfs", folder];
    await runToEnd("mount", mount).catch((error: unknown) => {
      throw new Error("this test fills a small file system of its own, and mounting one takes root", { cause: error });
    });
    whenOver(async () => {
      await runToEnd("umount", ["-l", folder]);
    });
    return new SmallDisk(folder);
  }

  /** Takes every block that is left. */
  fill(): void {
    const block = Buffer.alloc(BLOCK_BYTES, 1);
    for (let count = 0; count < BLOCKS_MAX; count += 1) {
      try {
        writeFileSync(this.#filler, block, { flag: "a" });
      } catch (error) {
        if (error instanceof Error && "code" in error && error.code === "ENOSPC") return;
        throw error;
      }
    }
    throw new Error("the file system did not get full");
  }

  /** Gives back what `fill` took. */
  free(): void {
    rmSync(this.#filler);
  }

  /** From now on nothing can be written to it. */
  async protect(): Promise<void> {
    await runToEnd("mount", ["-o", "remount,ro", this.folder]);
  }

  async unprotect(): Promise<void> {
    await runToEnd("mount", ["-o", "remount,rw", this.folder]);
  }
}

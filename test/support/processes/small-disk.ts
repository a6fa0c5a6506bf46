import { writeFileSync } from "node:fs";
import { onTestFinished } from "vitest";
import { runToEnd } from "./children.ts";

/** Small enough to be filled at once, and with room for a database. */
const SIZE = "4m";
const BLOCK_BYTES = 4_096;
const BLOCKS_MAX = 2_000;

/** Mounts a file system of its own at this folder, until the test is over. */
export async function mountSmallDisk(folder: string, whenOver = onTestFinished): Promise<void> {
  const mount = ["-t", "tmpfs", "-o", `size=${SIZE},mode=700`, "tmpfs", folder];
  await runToEnd("mount", mount).catch((error: unknown) => {
    throw new Error("this test fills a small file system of its own, and mounting one takes root", { cause: error });
  });
  whenOver(async () => {
    await runToEnd("umount", ["-l", folder]);
  });
}

/** Takes every block that is left. */
export function fillDisk(path: string): void {
  const block = Buffer.alloc(BLOCK_BYTES, 1);
  for (let count = 0; count < BLOCKS_MAX; count += 1) {
    try {
      writeFileSync(path, block, { flag: "a" });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "ENOSPC") return;
      throw error;
    }
  }
  throw new Error("the file system did not get full");
}

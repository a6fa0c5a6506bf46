import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-given-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** How often this process has the database's file open. */
function descriptors(): number {
  const path = join(folder, "fanfare.db");
  const pathOf = (name: string) => {
    try {
      return readlinkSync(join("/proc/self/fd", name));
    } catch {
      return undefined;
    }
  };
  return readdirSync("/proc/self/fd").filter((name) => pathOf(name) === path).length;
}

test.runIf(process.platform === "linux")(
  "a data folder that could not be given up is not opened a second time when it is taken back",
  async () => {
    const storage = await openStorage({ dataDir: folder, newDatabase: "yes" });
    const opened = descriptors();
    // Something else failed before it was the database's turn.
    await storage.take();
    expect(descriptors()).toBe(opened);
    vi.spyOn(DatabaseSync.prototype, "close").mockImplementationOnce(() => {
      throw new Error("it cannot be closed");
    });
    await expect(storage.giveUp()).rejects.toThrow("it cannot be closed");
    await storage.take();
    expect(descriptors()).toBe(opened);
    const created = await storage.store.createChannel(newChannel(1));
    await storage.giveUp();
    await expect(storage.store.createChannel(newChannel(2))).rejects.toThrow(StoreUnavailableError);
    await storage.take();
    expect(await storage.store.findChannel(created.channelId)).toEqual(created);
    await storage.store.createChannel(newChannel(2));
    await storage.close();
    expect(descriptors()).toBe(0);
  },
);

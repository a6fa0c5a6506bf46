import { writeSync } from "node:fs";
import { openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { newChannel } from "./suites/store-suite-data.ts";

// Run as a process of its own, to be killed at any moment: writes for ever, and prints each write once it is
// acknowledged.
const [path = "", first = ""] = process.argv.slice(2);
const store = await openSqliteStore(path);
for (let n = Number(first); ; n += 1) {
  const channel = await store.createChannel(newChannel(n));
  writeSync(1, `created ${channel.channelId}\n`);
  const [target] = channel.targets;
  if (target === undefined) throw new Error("a channel without targets");
  const change = { url: "rtmp://changed", streamKey: `changed-${n}` };
  await store.changeTarget(channel.channelId, target.targetId, () => change);
  writeSync(1, `changed ${channel.channelId} changed-${n}\n`);
}

import { writeSync } from "node:fs";
import type { AuditScope } from "../../src/control/audit/audit.ts";
import { keepAudit } from "../../src/store/audit/audit-store.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import { openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import { newChannel } from "./suites/store-suite-data.ts";

// Run as a process of its own, to be killed at any moment: writes for ever, and prints each write once it is
// acknowledged. The audit's record of each write has what is printed as its trace id.
const [path = "", first = ""] = process.argv.slice(2);
const { database } = await openSqliteDatabase(path);
const store = new SqlStore(database);
let scope: AuditScope | undefined;
keepAudit(database, () => scope);
const origin = { actor: "access-key", client: "api" } as const;
const begin = (traceId: string): void => {
  scope = { action: "updateChannel", traceId, time: 1, origin, about: {}, state: "open" };
};
for (let n = Number(first); ; n += 1) {
  const settings = newChannel(n);
  const created = `created ${settings.channelId}`;
  begin(created);
  const channel = await store.createChannel(settings);
  writeSync(1, `${created}\n`);
  const [target] = channel.targets;
  if (target === undefined) throw new Error("a channel without targets");
  const change = { url: "rtmp://changed", streamKey: `changed-${n}` };
  const changed = `changed ${channel.channelId} changed-${n}`;
  begin(changed);
  await store.changeTarget(channel.channelId, target.targetId, () => change);
  writeSync(1, `${changed}\n`);
}

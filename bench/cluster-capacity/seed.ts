import { randomBytes } from "node:crypto";
import type { Transaction } from "kysely";
import { NO_ALERTS, type TargetSettings } from "../../src/control/channels/channel.ts";
import { streamKeyColumns } from "../../src/store/channels/channel-columns.ts";
import { targetChangeColumns } from "../../src/store/channels/target-columns.ts";
import { takeNumbers } from "../../src/store/database/numbers.ts";
import type { Schema } from "../../src/store/schema/schema.ts";
import type { Secrets } from "../../src/store/secrets/secrets.ts";
import type { SharedServices } from "../../test/support/cluster/shared-services.ts";
import type { BareNode } from "./nodes.ts";

const TARGETS = 3;
const BATCH = 250;
const FIRST_TIME = 1_700_000_000_000;

const idOf = (no: number) => `ls-20260101000000-${String(no).padStart(6, "0")}`;
const key = () => randomBytes(20).toString("hex");

/**
 * Makes channels with three targets each, with sealed keys as the API makes them: the first as it does, the others as copies of
 * its rows with keys of their own, many in one transaction. Returns their ids.
 */
export async function makeChannels({ channels, database }: BareNode, count: number): Promise<readonly string[]> {
  const targets = Array.from(
    { length: TARGETS },
    (_, index): TargetSettings => ({
      ...{ targetName: "CUSTOM", url: `rtmp://platform-${index}.example.com/app` },
      ...{ streamKey: key(), isEnabled: true, bufferPolicy: "drop" },
    }),
  );
  await channels.createChannel({
    ...{ channelId: idOf(0), name: "channel_0", planType: "PROFESSIONAL", envType: "REAL" },
    ...{ alerts: NO_ALERTS, holdSeconds: 30, latency: "efficient", createdTime: FIRST_TIME },
    ...{ freeze: { mediaSeconds: 5, videoSeconds: 10 }, streamKey: key(), targets },
  });
  for (let first = 1; first < count; first += BATCH) {
    const numbers = Array.from({ length: Math.min(BATCH, count - first) }, (_, index) => first + index);
    await database.write((trx) => copy(trx, database.secrets, numbers, targets));
  }
  return Array.from({ length: count }, (_, no) => idOf(no));
}

/** So many events and reports of the last day has each channel. */
const EVENTS = 10;
const REPORTS = 2;

/** Gives each channel events and reports, as many channels' broadcasts of one day leave them: those of one channel lie apart. */
export async function makeHistory(services: Pick<SharedServices, "query">): Promise<void> {
  const dayAgo = "(extract(epoch from now())::bigint - 86400) * 1000";
  await services.query(`
    insert into event (event_id, channel_id, code, level, time, description)
    select nextval('event_number'), channel_id, case when n % 2 = 1 then 'PUBLISH_START' else 'PUBLISH_END' end, 'INFO',
      ${dayAgo} + n * 3600000, name || ' channel publishing has changed.'
    from generate_series(1, ${EVENTS}) as n, channel order by n, instance_no`);
  await services.query(`
    insert into report (channel_id, start_time, end_time, end_reason, parts)
    select channel_id, ${dayAgo} + n * 3600000, ${dayAgo} + (n + 1) * 3600000, 'ended',
      '{"interruptions":{"list":[],"count":0},"targets":[]}'
    from generate_series(1, ${REPORTS}) as n, channel`);
}

async function copy(
  trx: Transaction<Schema>,
  secrets: Secrets,
  numbers: readonly number[],
  targets: readonly TargetSettings[],
): Promise<void> {
  const model = await trx.selectFrom("channel").where("channel_id", "=", idOf(0)).selectAll().executeTakeFirstOrThrow();
  const modelTargets = await trx
    .selectFrom("target")
    .where("channel_id", "=", idOf(0))
    .orderBy("target_id")
    .selectAll()
    .execute();
  const instanceNos = await takeNumbers(trx, "channel", numbers.length);
  const targetIds = await takeNumbers(trx, "target", numbers.length * modelTargets.length);
  const channelRows = numbers.map((no, index) => ({
    ...model,
    ...{ channel_id: idOf(no), name: `channel_${no}`, created_time: FIRST_TIME + no },
    instance_no: instanceNos[index] ?? 0,
    ...streamKeyColumns(secrets, idOf(no), key()),
  }));
  const targetRows = numbers.flatMap((no, index) =>
    modelTargets.map((row, at) => {
      const targetId = targetIds[index * modelTargets.length + at] ?? 0;
      const change = { url: targets[at]?.url ?? "", streamKey: key() };
      return { ...row, target_id: targetId, channel_id: idOf(no), ...targetChangeColumns(secrets, targetId, change) };
    }),
  );
  await trx.insertInto("channel").values(channelRows).execute();
  await trx.insertInto("target").values(targetRows).execute();
}

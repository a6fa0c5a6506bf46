import type { Transaction } from "kysely";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Schema } from "../schema/schema.ts";
import { writesSideBySide } from "./locks.ts";

/**
 * Whether this ownership of a channel is finished: what its owner writes after that does not count. Holds the answer until
 * the transaction ends. False for a single node, which has no ownerships.
 */
export async function isFinished(
  trx: Transaction<Schema>,
  channelId: ChannelId,
  epoch: number | undefined,
): Promise<boolean> {
  if (epoch === undefined || !writesSideBySide(trx)) return false;
  const row = await trx
    .selectFrom("channel_owner")
    .where("channel_id", "=", channelId)
    .select("ended_epoch")
    .forShare()
    .executeTakeFirst();
  return row !== undefined && Number(row.ended_epoch) >= epoch;
}

/** Finishes all ownerships up to this one. Returns whether this caller did, and not another before. */
export async function finishOwnership(trx: Transaction<Schema>, channelId: ChannelId, epoch: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("channel_owner")
    .set({ ended_epoch: epoch })
    .where("channel_id", "=", channelId)
    .where("ended_epoch", "<", epoch)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

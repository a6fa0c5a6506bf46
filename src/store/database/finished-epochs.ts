import type { Transaction } from "kysely";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Schema } from "../schema/schema.ts";
import { writesSideBySide } from "./locks.ts";

/**
 * `finished`: what its owner writes after that does not count. `given-up`: others finished it, and its owner has it still; it
 * could not be heard for longer than its lease.
 */
export type OwnershipEnd = "none" | "finished" | "given-up";

/**
 * Whether this ownership of a channel has ended. Holds the answer until the transaction ends. `none` for a single node, which
 * has no ownerships.
 */
export async function ownershipEnd(
  trx: Transaction<Schema>,
  channelId: ChannelId,
  epoch: number | undefined,
): Promise<OwnershipEnd> {
  if (epoch === undefined || !writesSideBySide(trx)) return "none";
  const row = await trx
    .selectFrom("channel_owner")
    .where("channel_id", "=", channelId)
    .select(["ended_epoch", "epoch", "incarnation"])
    .forShare()
    .executeTakeFirst();
  if (row === undefined || Number(row.ended_epoch) < epoch) return "none";
  return Number(row.epoch) === epoch && row.incarnation !== null ? "given-up" : "finished";
}

/** The owner of this ownership goes on, which others had finished. Returns whether that was so. */
export async function reviveOwnership(trx: Transaction<Schema>, channelId: ChannelId, epoch: number): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("channel_owner")
    .set({ ended_epoch: epoch - 1 })
    .where("channel_id", "=", channelId)
    .where("epoch", "=", epoch)
    .where("incarnation", "is not", null)
    .where("ended_epoch", "=", epoch)
    .executeTakeFirst();
  return numUpdatedRows === 1n;
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

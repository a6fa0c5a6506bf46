import type { Transaction } from "kysely";
import type { TargetSettings } from "../../control/channels/channel.ts";
import type { TargetChange } from "../../control/ports/store.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { takeNumbers } from "../database/numbers.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { choiceColumns, chosenColumns, trustColumns } from "./rows.ts";

/** Stores the targets in this order, with new numbers that count up. */
export async function insertTargets(
  trx: Transaction<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
  targets: readonly TargetSettings[],
): Promise<void> {
  if (targets.length === 0) return;
  const targetIds = await takeNumbers(trx, "target", targets.length);
  // One statement for each: a database limits the parameters of one statement.
  for (const [index, target] of targets.entries()) {
    const targetId = targetIds[index];
    if (targetId === undefined) throw new Error("a target without a number");
    await trx
      .insertInto("target")
      .values({
        target_id: targetId,
        channel_id: channelId,
        target_name: target.targetName,
        url: sealed(secrets, targetId, "url", target.url),
        stream_key: sealed(secrets, targetId, "stream_key", target.streamKey),
        login_id: sealed(secrets, targetId, "login_id", target.loginId ?? ""),
        login_password: sealed(secrets, targetId, "login_password", target.loginPassword ?? ""),
        label: target.label ?? "",
        is_enabled: target.isEnabled ? 1 : 0,
        buffer_policy: target.bufferPolicy,
        tls_ca: target.tls?.ca ?? "",
        tls_fingerprint: target.tls?.fingerprint ?? "",
        ...chosenColumns(target),
        bytes: 0,
        play_ms: 0,
        retry_count: 0,
      })
      .execute();
  }
}

/** The columns that a change of a target sets. */
export function targetChangeColumns(secrets: Secrets, targetId: TargetId, change: TargetChange) {
  const { url, streamKey, loginId, loginPassword, label, isEnabled, bufferPolicy, tls = {} } = change;
  return {
    ...(url === undefined ? {} : { url: sealed(secrets, targetId, "url", url) }),
    ...(streamKey === undefined ? {} : { stream_key: sealed(secrets, targetId, "stream_key", streamKey) }),
    ...(loginId === undefined ? {} : { login_id: sealed(secrets, targetId, "login_id", loginId) }),
    ...(loginPassword === undefined
      ? {}
      : { login_password: sealed(secrets, targetId, "login_password", loginPassword) }),
    ...(label === undefined ? {} : { label }),
    ...(isEnabled === undefined ? {} : { is_enabled: isEnabled ? 1 : 0 }),
    ...(bufferPolicy === undefined ? {} : { buffer_policy: bufferPolicy }),
    ...trustColumns(tls),
    ...choiceColumns(change),
  };
}

/** A secret of a target, as stored. */
function sealed(
  secrets: Secrets,
  targetId: TargetId,
  column: "url" | "stream_key" | "login_id" | "login_password",
  text: string,
): string {
  return secrets.seal(text, { table: "target", column, row: String(targetId) });
}

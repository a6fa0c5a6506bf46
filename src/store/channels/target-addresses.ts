import type { Kysely } from "kysely";
import type { TargetId, TargetTrust } from "../../thread-protocol/channel-spec.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** More targets than this are counted only. */
const TARGETS_MAX = 2_000;

/** Where a target is. The address may hold a passphrase or a key: never log it. */
export type StoredAddress = {
  readonly targetId: TargetId;
  /** For people: the channel and the target's label or platform. */
  readonly name: string;
  readonly url: string;
  readonly tls: TargetTrust;
  readonly isEnabled: boolean;
};

export type TargetAddresses = {
  readonly targets: readonly StoredAddress[];
  /** How many more there are. */
  readonly leftOut: number;
};

/** The addresses of the targets of all channels, in their order, without keys and logins. Throws SecretError. */
export async function readTargetAddresses(db: Kysely<Schema>, secrets: Secrets): Promise<TargetAddresses> {
  const wanted = db
    .selectFrom("target")
    .innerJoin("channel", "channel.channel_id", "target.channel_id")
    .where("channel.state", "!=", "deleted");
  const rows = await wanted
    .select(["target_id", "name", "target_name", "label", "url", "is_enabled", "tls_ca", "tls_fingerprint"])
    .orderBy("target_id")
    .limit(TARGETS_MAX)
    .execute();
  const { count } = await wanted.select(({ fn }) => fn.countAll<number>().as("count")).executeTakeFirstOrThrow();
  const targets = rows.map((row) => ({
    targetId: Number(row.target_id),
    name: `${row.name}, ${row.label === "" ? row.target_name : row.label}`,
    url: secrets.open(row.url, { table: "target", column: "url", row: String(row.target_id) }),
    tls: {
      ...(row.tls_ca === "" ? {} : { ca: row.tls_ca }),
      ...(row.tls_fingerprint === "" ? {} : { fingerprint: row.tls_fingerprint }),
    },
    isEnabled: row.is_enabled === 1,
  }));
  return { targets, leftOut: Number(count) - targets.length };
}

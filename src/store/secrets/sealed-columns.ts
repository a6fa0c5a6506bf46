/** A column of sealed values; `index` is the column by which its rows are found. */
type SealedColumn = { readonly name: string; readonly index?: string };

type SealedTable = { readonly table: string; readonly id: string; readonly columns: readonly SealedColumn[] };

/**
 * Every place where a secret is kept: a key rotation goes through all of them. `id` is the row's id in the sealed
 * value's place.
 */
export const SEALED_TABLES: readonly SealedTable[] = [
  {
    table: "channel",
    id: "channel_id",
    columns: [
      { name: "stream_key", index: "stream_key_index" },
      { name: "backup_stream_key", index: "backup_stream_key_index" },
      { name: "ingest_login_id", index: "ingest_login_id_index" },
      { name: "ingest_login_password" },
      { name: "srt_passphrase" },
    ],
  },
  {
    table: "target",
    id: "target_id",
    columns: [{ name: "url" }, { name: "stream_key" }, { name: "login_id" }, { name: "login_password" }],
  },
  { table: "channel_source", id: "channel_id", columns: [{ name: "source" }] },
  { table: "access_key", id: "access_key_id", columns: [{ name: "secret_key", index: "secret_hash" }] },
  { table: "webhook_endpoint", id: "scope", columns: [{ name: "url" }, { name: "secret" }] },
  { table: "delivery", id: "event_id", columns: [{ name: "url" }] },
  { table: "contact", id: "contact_id", columns: [{ name: "address" }] },
  { table: "push_key", id: "id", columns: [{ name: "d" }] },
  { table: "push_subscription", id: "subscription_id", columns: [{ name: "endpoint" }, { name: "auth" }] },
];

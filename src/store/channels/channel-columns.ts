import type { ChannelRecord } from "../../control/channels/channel.ts";
import type { ChannelChange } from "../../control/ports/store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { ingestLoginColumns } from "./ingest-logins.ts";
import { alertColumns, freezeColumns, labelColumns } from "./rows.ts";

/** A channel's changes, as columns. */
export function channelColumns(secrets: Secrets, present: ChannelRecord, change: ChannelChange) {
  return {
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.planType === undefined ? {} : { plan_type: change.planType }),
    ...(change.envType === undefined ? {} : { env_type: change.envType }),
    ...(change.labels === undefined ? {} : labelColumns(change.labels)),
    ...(change.alerts === undefined ? {} : alertColumns({ ...present.alerts, ...change.alerts })),
    ...(change.holdSeconds === undefined ? {} : { hold_seconds: change.holdSeconds }),
    ...(change.latency === undefined ? {} : { latency: change.latency }),
    ...(change.freeze === undefined ? {} : freezeColumns(change.freeze)),
    ...(change.isRecorded === undefined ? {} : { is_recorded: change.isRecorded ? 1 : 0 }),
    ...(change.state === undefined ? {} : { state: change.state }),
    ...(change.streamKey === undefined ? {} : streamKeyColumns(secrets, present.channelId, change.streamKey)),
    ...(change.backupStreamKey === undefined
      ? {}
      : backupKeyColumns(secrets, present.channelId, change.backupStreamKey)),
    ...(change.ingestLogin === undefined ? {} : ingestLoginColumns(secrets, present.channelId, change.ingestLogin)),
    ...(change.srtPassphrase === undefined
      ? {}
      : srtPassphraseColumns(secrets, present.channelId, change.srtPassphrase)),
  };
}

/** An ingest key as stored, with its index. */
export function streamKeyColumns(secrets: Secrets, channelId: ChannelId, streamKey: string) {
  const place = { table: "channel", column: "stream_key", row: channelId };
  return {
    stream_key: secrets.seal(streamKey, place),
    stream_key_index: secrets.index(streamKey, "channel", "stream_key"),
  };
}

/** The same for a backup key; empty where there is none. */
export function backupKeyColumns(secrets: Secrets, channelId: ChannelId, streamKey: string) {
  const place = { table: "channel", column: "backup_stream_key", row: channelId };
  return {
    backup_stream_key: secrets.seal(streamKey, place),
    backup_stream_key_index: streamKey === "" ? null : secrets.index(streamKey, "channel", "backup_stream_key"),
  };
}

/** The passphrase of encoders over SRT as stored; empty where there is none. */
export function srtPassphraseColumns(secrets: Secrets, channelId: ChannelId, passphrase: string) {
  const place = { table: "channel", column: "srt_passphrase", row: channelId };
  return { srt_passphrase: passphrase === "" ? "" : secrets.seal(passphrase, place) };
}

import type { Generated } from "kysely";
import type { ContactNoticeRow, ContactRow } from "./contact-schema.ts";
import type {
  AuditRow,
  DeliveryQueueRow,
  DeliveryRow,
  EndpointRow,
  EventRow,
  RefusedEncoderRow,
  ReportRow,
} from "./event-schema.ts";

/**
 * The tables as every database keeps them: text and integers, no booleans (SQLite has none), times in milliseconds
 * since the Unix epoch.
 */
export type Schema = {
  readonly channel: ChannelRow;
  readonly target: TargetRow;
  readonly channel_count: ChannelCountRow;
  readonly listed_channel: ListedChannelRow;
  readonly channel_source: ChannelSourceRow;
  readonly channel_schedule: ChannelScheduleRow;
  readonly access_key: AccessKeyRow;
  readonly encryption_key: EncryptionKeyRow;
  readonly event: EventRow;
  readonly audit: AuditRow;
  readonly refused_encoder: RefusedEncoderRow;
  readonly report: ReportRow;
  readonly history: HistoryRow;
  readonly webhook_endpoint: EndpointRow;
  readonly delivery: DeliveryRow;
  readonly delivery_queue: DeliveryQueueRow;
  readonly contact: ContactRow;
  readonly contact_notice: ContactNoticeRow;
  readonly dashboard_password: { readonly id: number; readonly hash: string };
  readonly dashboard_setup: { readonly id: number; readonly token_hash: string; readonly expires_time: number };
  readonly dashboard_session: { readonly token_hash: string; readonly last_used_time: number };
  readonly push_key: {
    readonly id: number;
    readonly x: string;
    readonly y: string;
    /** Sealed. */
    readonly d: string;
  };
  readonly push_subscription: PushSubscriptionRow;
  readonly counter: { readonly name: string; readonly value: number };
  readonly program_version: { readonly id: Generated<number>; readonly version: string };
  readonly instance: { readonly id: number; readonly name: string };
  readonly node: NodeRow;
  readonly channel_owner: ChannelOwnerRow;
  readonly guard_once: GuardOnceRow;
  readonly guard_count: GuardCountRow;
  /** The oldest step whose program can work with a database that has come to `step`. */
  readonly schema_compat: { readonly step: string; readonly compatible_from: string };
};

/** How many channels have numbers from 1,000 times `block`, and fewer than a thousand more. The database's triggers keep it. */
type ChannelCountRow = { readonly block: number; readonly live: number; readonly blocked: number };

/** What a list of channels is searched, narrowed and ordered by, but for those that were deleted. The database's triggers keep it. */
type ListedChannelRow = {
  readonly instance_no: number;
  /** In small letters, as far as they are A to Z. */
  readonly name: string;
  readonly state: string;
  readonly channel_id: string;
};

/** A process that uses this database, or did. */
type NodeRow = {
  readonly incarnation: number;
  readonly node_id: string;
  /** One of the port's `NODE_STATES`. */
  readonly state: string;
  readonly lease_until: number;
  /** JSON: a list of text. */
  readonly advertise: string;
  readonly version: string;
  readonly schema_step: string;
  /** JSON: a list of text. */
  readonly key_ids: string;
};

/** Who owns a channel, or who did last. */
type ChannelOwnerRow = {
  readonly channel_id: string;
  /** Null: released; the next one is null with it. */
  readonly incarnation: number | null;
  readonly home: number | null;
  /** Only ever rises. */
  readonly epoch: number;
  readonly since: number;
  readonly former_incarnation: number | null;
  readonly former_epoch: number | null;
  /** The broadcasts of all ownerships up to this one are finished: their owners write nothing more. */
  readonly ended_epoch: Generated<number>;
};

/** Something that counts once among all nodes. Only on PostgreSQL. */
type GuardOnceRow = { readonly kind: string; readonly value: string; readonly until_time: number };

/** Failures of one client since a time, counted by all nodes together. Only on PostgreSQL. */
type GuardCountRow = {
  readonly kind: string;
  readonly value: string;
  readonly from_time: number;
  readonly count: number;
};

/** Consecutive values of one channel. */
type HistoryRow = {
  /** The channel may be deleted by now. */
  readonly channel_id: string;
  /** `second` or `minute`. */
  readonly step: string;
  /** The times of the first and the last value. */
  readonly start_time: number;
  readonly end_time: number;
  /** The values in base64; see `history/block-bytes.ts`. */
  readonly series: string;
};

/** A browser that gets push notifications. */
export type PushSubscriptionRow = {
  /** SHA-256 of its endpoint. */
  readonly subscription_id: string;
  /** The session that it ends with. */
  readonly session_hash: string;
  /** Sealed: anybody who has it can send messages to that browser. */
  readonly endpoint: string;
  readonly p256dh: string;
  /** Sealed. */
  readonly auth: string;
  readonly language: string;
  readonly contact: string;
  readonly scope: string;
  /** One a line; the same for the next two. */
  readonly channel_ids: string;
  readonly labels: string;
  readonly severities: string;
  /** 0 or 1. */
  readonly is_quiet: number;
  readonly update_time: number;
};

export type ChannelRow = {
  readonly channel_id: string;
  readonly instance_no: number;
  readonly name: string;
  readonly plan_type: string;
  readonly env_type: string;
  /** One a line; empty: none. */
  readonly labels: string;
  /** `live`, `blocked` or `deleted`; rows are never removed. */
  readonly state: string;
  /** Sealed, like every secret of these tables; see `secrets.ts`. */
  readonly stream_key: string;
  /** The index by which a stream key is found. */
  readonly stream_key_index: string;
  /** Sealed. Empty: the channel has no backup ingest. */
  readonly backup_stream_key: string;
  /** Null: no backup ingest. */
  readonly backup_stream_key_index: string | null;
  readonly created_time: number;
  readonly revision: number;
  readonly publish_ms: number;
  readonly recent_publish_start_time: number | null;
  /** 0 or 1, like the next three. */
  readonly alert_on: number;
  readonly alert_channel_status: number;
  readonly alert_vod_uploads: number;
  readonly alert_target_failures: number;
  readonly hold_seconds: number;
  readonly latency: string;
  readonly freeze_media_seconds: number;
  readonly freeze_video_seconds: number;
  readonly is_recorded: number;
  /** Sealed, like the password. Empty: encoders need no login. */
  readonly ingest_login_id: string;
  readonly ingest_login_password: string;
  /** The index by which the user name is found; null where there is none. */
  readonly ingest_login_id_index: string | null;
  /** Sealed. Empty: none of its own. */
  readonly srt_passphrase: string;
};

export type TargetRow = {
  readonly target_id: number;
  readonly channel_id: string;
  readonly target_name: string;
  /** Sealed: its path or query may be a secret. */
  readonly url: string;
  /** Sealed. */
  readonly stream_key: string;
  /** Sealed. Empty: not set; the same for the next two. */
  readonly login_id: string;
  /** Sealed. */
  readonly login_password: string;
  readonly label: string;
  /** 0 or 1. */
  readonly is_enabled: number;
  /** `drop` or `disconnect`. */
  readonly buffer_policy: string;
  /** PEM; empty: not set. The same for the next one, which is 64 hexadecimal digits. */
  readonly tls_ca: string;
  readonly tls_fingerprint: string;
  /** Null: all tracks; the next one is null with it. */
  readonly video_track: number | null;
  readonly audio_track: number | null;
  /** 0 or 1. */
  readonly has_timed_data: number;
  /** `auto`, `always` or `never`. */
  readonly silent_audio: string;
  readonly delay_seconds: number;
  /** JSON. Empty: always on; the next two are 0 then. */
  readonly windows: string;
  /** 0 or 1. */
  readonly is_outside_windows: number;
  /** 0: nobody turned it on outside of its windows. */
  readonly open_until: number;
  readonly bytes: number;
  readonly play_ms: number;
  readonly retry_count: number;
};

export type ChannelSourceRow = {
  readonly channel_id: string;
  /** Sealed JSON. Empty: none. */
  readonly source: string;
  /** Empty: none. */
  readonly slate_file_id: string;
  /** 0 or 1. */
  readonly is_wanted: number;
  readonly position: number;
  /** JSON: the run of a schedule that plays. Empty: none. */
  readonly scheduled: string;
  /** The incarnation of the process that plays it, or did last; 0 where no other shares the database. */
  readonly node: number;
};

export type ChannelScheduleRow = {
  readonly schedule_id: string;
  readonly channel_id: string;
  /** JSON: everything that a person sets, except what the next column says. */
  readonly settings: string;
  /** 0 or 1. */
  readonly is_paused: number;
  readonly created_time: number;
  /** Starts up to this one are done with. */
  readonly done_time: number;
  /** The last start; null before the first, and the next two are empty then. */
  readonly last_time: number | null;
  readonly last_result: string;
  readonly last_reason: string;
};

export type AccessKeyRow = {
  readonly access_key_id: string;
  /** Sealed. */
  readonly secret_key: string;
  /** The index by which a secret is found; see `secrets.ts`. */
  readonly secret_hash: string;
  /** `manager` or `viewer`. */
  readonly role: string;
  readonly name: string;
  readonly created_time: number;
  /** Null before the first use. */
  readonly last_used_time: number | null;
};

/** A key that seals values of this database. */
export type EncryptionKeyRow = {
  readonly key_id: string;
  /** A known text sealed with that key: a wrong key shows before it does harm. */
  readonly proof: string;
};

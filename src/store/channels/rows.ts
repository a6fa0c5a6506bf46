import type {
  Alerts,
  ChannelRecord,
  EnvType,
  Target,
  TargetName,
  TargetSettings,
} from "../../control/channels/channel.ts";
import { CHANNEL_STATES } from "../../control/channels/channel.ts";
import { PLAN_TYPES } from "../../control/channels/plan.ts";
import type { TargetChange } from "../../control/ports/store.ts";
import {
  BUFFER_POLICIES,
  LATENCIES,
  SILENT_AUDIO,
  type SilentAudio,
  type TargetTrust,
  type TrackChoice,
} from "../../thread-protocol/channel-spec.ts";
import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { oneOf, settingOf } from "../database/one-of.ts";
import { openEndpointUrl } from "../deliveries/endpoint-rows.ts";
import type { ChannelRow, TargetRow } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

const ENV_TYPES: readonly EnvType[] = ["REAL", "DEV", "STAGE"];

/** Stands between two labels in their column. */
const LABEL_SEPARATOR = "\n";

// `Number` throughout: PostgreSQL's driver returns big integers as text.

export function readChannel(
  row: ChannelRow & { readonly callback_url: string | null },
  targetCount: number,
  secrets: Secrets,
): ChannelRecord {
  const opened = (
    column: "stream_key" | "backup_stream_key" | "ingest_login_id" | "ingest_login_password" | "srt_passphrase",
  ) => secrets.openAgain(row[column], { table: "channel", column, row: row.channel_id });
  const hasLogin = row.ingest_login_id !== "";
  return {
    channelId: row.channel_id,
    instanceNo: Number(row.instance_no),
    name: row.name,
    planType: oneOf(PLAN_TYPES, row.plan_type),
    envType: oneOf(ENV_TYPES, row.env_type),
    ...readLabels(row),
    alerts: readAlerts(row),
    holdSeconds: row.hold_seconds,
    latency: settingOf(LATENCIES, row.latency, "efficient"),
    ...(row.is_recorded === 1 ? { isRecorded: true } : {}),
    freeze: { mediaSeconds: row.freeze_media_seconds, videoSeconds: row.freeze_video_seconds },
    state: oneOf(CHANNEL_STATES, row.state),
    streamKey: opened("stream_key"),
    ...(row.backup_stream_key === "" ? {} : { backupStreamKey: opened("backup_stream_key") }),
    ...(hasLogin ? { ingestLogin: { id: opened("ingest_login_id"), password: opened("ingest_login_password") } } : {}),
    ...(row.srt_passphrase === "" ? {} : { srtPassphrase: opened("srt_passphrase") }),
    createdTime: Number(row.created_time),
    revision: Number(row.revision),
    publishMs: Number(row.publish_ms),
    ...(row.recent_publish_start_time === null
      ? {}
      : { recentPublishStartTime: Number(row.recent_publish_start_time) }),
    ...(row.callback_url === null
      ? {}
      : { callbackUrl: openEndpointUrl({ scope: row.channel_id, url: row.callback_url }, secrets) }),
    targetCount,
  };
}

function readLabels({ labels }: ChannelRow): Pick<ChannelRecord, "labels"> {
  return labels === "" ? {} : { labels: labels.split(LABEL_SEPARATOR) };
}

/** A channel's labels as one column. No label contains a control character. */
export function labelColumns(labels: readonly string[]) {
  return { labels: labels.join(LABEL_SEPARATOR) };
}

export function readAlerts(row: ChannelRow): Alerts {
  return {
    isOn: row.alert_on === 1,
    ofChannelStatus: row.alert_channel_status === 1,
    ofVodUploads: row.alert_vod_uploads === 1,
    ofTargetFailures: row.alert_target_failures === 1,
  };
}

/** All alerts as columns. */
export function alertColumns(alerts: Alerts) {
  return {
    alert_on: alerts.isOn ? 1 : 0,
    alert_channel_status: alerts.ofChannelStatus ? 1 : 0,
    alert_vod_uploads: alerts.ofVodUploads ? 1 : 0,
    alert_target_failures: alerts.ofTargetFailures ? 1 : 0,
  };
}

export function readTargetName(row: Pick<TargetRow, "target_name" | "label">): TargetName {
  return { targetName: row.target_name, ...(row.label === "" ? {} : { label: row.label }) };
}

export function readTarget(row: TargetRow, secrets: Secrets): Target {
  const opened = (column: "url" | "stream_key" | "login_id" | "login_password") =>
    secrets.openAgain(row[column], { table: "target", column, row: String(row.target_id) });
  return {
    targetId: Number(row.target_id),
    ...readTargetName(row),
    url: opened("url"),
    streamKey: opened("stream_key"),
    ...(row.login_id === "" ? {} : { loginId: opened("login_id") }),
    ...(row.login_password === "" ? {} : { loginPassword: opened("login_password") }),
    isEnabled: row.is_enabled === 1,
    bufferPolicy: settingOf(BUFFER_POLICIES, row.buffer_policy, "drop"),
    ...readTrust(row),
    ...readTracks(row),
    ...(row.has_timed_data === 1 ? {} : { hasTimedData: false }),
    ...readSilentAudio(row),
    ...(Number(row.delay_seconds) === 0 ? {} : { delaySeconds: Number(row.delay_seconds) }),
    ...readWindows(row),
    totals: { bytes: Number(row.bytes), playMs: Number(row.play_ms), retryCount: Number(row.retry_count) },
  };
}

function readTrust({ tls_ca: ca, tls_fingerprint: fingerprint }: TargetRow): { readonly tls?: TargetTrust } {
  if (ca === "" && fingerprint === "") return {};
  return { tls: { ...(ca === "" ? {} : { ca }), ...(fingerprint === "" ? {} : { fingerprint }) } };
}

function readTracks({ video_track: video, audio_track: audio }: TargetRow): { readonly tracks?: TrackChoice } {
  return video === null || audio === null ? {} : { tracks: { video: Number(video), audio: Number(audio) } };
}

function readSilentAudio({ silent_audio }: TargetRow): { readonly silentAudio?: SilentAudio } {
  const silentAudio = settingOf(SILENT_AUDIO, silent_audio, "auto");
  return silentAudio === "auto" ? {} : { silentAudio };
}

function readWindows({ windows, is_outside_windows, open_until }: TargetRow): Pick<Target, WindowFields> {
  if (windows === "") return {};
  const openUntil = Number(open_until);
  return {
    windows: JSON.parse(windows),
    ...(is_outside_windows === 1 ? { isOutsideWindows: true } : {}),
    ...(openUntil === 0 ? {} : { openUntil }),
  };
}

type WindowFields = "windows" | "isOutsideWindows" | "openUntil";

function windowColumns({ windows, isOutsideWindows, openUntil }: Pick<TargetChange, WindowFields>) {
  return {
    ...(windows === undefined ? {} : { windows: windows === "none" ? "" : JSON.stringify(windows) }),
    ...(isOutsideWindows === undefined ? {} : { is_outside_windows: isOutsideWindows ? 1 : 0 }),
    ...(openUntil === undefined ? {} : { open_until: openUntil }),
  };
}

/** The stream settings of a target, and when it is on. */
type Chosen = "tracks" | "hasTimedData" | "silentAudio" | "delaySeconds" | WindowFields;

/** The stream settings of a new target, as columns. */
export function chosenColumns(settings: Pick<TargetSettings, Chosen>) {
  const { tracks = "all", hasTimedData = true, silentAudio = "auto", delaySeconds = 0 } = settings;
  return {
    ...trackColumns(tracks),
    has_timed_data: hasTimedData ? 1 : 0,
    silent_audio: silentAudio,
    delay_seconds: delaySeconds,
    ...{ windows: "", is_outside_windows: 0, open_until: 0 },
    ...windowColumns(settings),
  };
}

/** The same for a change: absent settings stay as they are. */
export function choiceColumns(change: Pick<TargetChange, Chosen>) {
  const { tracks, hasTimedData, silentAudio, delaySeconds } = change;
  return {
    ...(tracks === undefined ? {} : trackColumns(tracks)),
    ...(hasTimedData === undefined ? {} : { has_timed_data: hasTimedData ? 1 : 0 }),
    ...(silentAudio === undefined ? {} : { silent_audio: silentAudio }),
    ...(delaySeconds === undefined ? {} : { delay_seconds: delaySeconds }),
    ...windowColumns(change),
  };
}

function trackColumns(tracks: TrackChoice | "all") {
  if (tracks === "all") return { video_track: null, audio_track: null };
  return { video_track: tracks.video, audio_track: tracks.audio };
}

/** TLS trust settings, as columns. */
export function trustColumns({ ca, fingerprint }: TargetTrust) {
  return {
    ...(ca === undefined ? {} : { tls_ca: ca }),
    ...(fingerprint === undefined ? {} : { tls_fingerprint: fingerprint }),
  };
}

export function freezeColumns({ mediaSeconds, videoSeconds }: FreezeTimes) {
  return { freeze_media_seconds: mediaSeconds, freeze_video_seconds: videoSeconds };
}

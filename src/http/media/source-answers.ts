import { maskAddress } from "../../api-contract/masks.ts";
import { PALE_NOTICE, refusedFileKo, SOURCE_SENTENCES } from "../../api-contract/sources/source-sentences.ts";
import { maskPullUrl } from "../../base/pull/pull-url.ts";
import type { PullStatus } from "../../control/channels/source.ts";
import type { MediaFile, MediaFormat } from "../../control/ports/media-files.ts";
import type { SourceDetail } from "../../control/sources/sources.ts";

/** A media file as the API shows it. */
export function mediaFileAnswer(file: MediaFile) {
  const { fileId, name, bytes, receivedBytes, createdTime, state, reason, fingerprint, format, contentKey } = file;
  const { kind, durationMs, isPale, hdr, ...known }: Partial<MediaFormat> = format ?? {};
  const { videoCodec, width, height, frameRate, audioCodec, sampleRate, channels } = known;
  return {
    ...{ fileId, fileName: name, fileState: state, bytes, receivedBytes, createdTime },
    ...(reason === undefined ? {} : { refusedFor: reason, refusedForKo: refusedFileKo(reason) }),
    ...(fingerprint === undefined ? {} : { fileFingerprint: fingerprint }),
    ...(contentKey === undefined ? {} : { watched: true }),
    ...(kind === undefined ? {} : { fileKind: kind }),
    ...(durationMs === undefined ? {} : { durationSeconds: durationMs / 1_000 }),
    // JSON leaves out what is not known.
    ...{ videoCodec, width, height, hdr, frameRate, audioCodec, sampleRate, channels },
    ...(isPale === true ? { notice: PALE_NOTICE[0], noticeKo: PALE_NOTICE[1] } : {}),
  };
}

type SourceAnswerContext = {
  readonly ffmpegFound: boolean;
  /** A viewer sees no more of an address than its host: what is behind it may be the key to the stream. */
  readonly isViewer: boolean;
};

/** A channel's source and what it does now. */
export function sourceAnswer(
  { source, status, scheduleId }: SourceDetail,
  { ffmpegFound, isViewer }: SourceAnswerContext,
) {
  const { state, sinceTime, ...more } = status;
  const { reason, detail, link, ...rest } = { reason: undefined, detail: undefined, link: undefined, ...more };
  const [message, messageKo] = SOURCE_SENTENCES[reason ?? ""] ?? [];
  return {
    ...(source === undefined ? {} : { sourceKind: source.kind }),
    ...(source?.kind === "files" ? { fileIds: source.fileIds, loop: source.isLooped } : {}),
    ...(source?.kind === "pull" ? { pull: pullAnswer(source.url, link, isViewer) } : {}),
    ...{ sourceState: state, sinceTime },
    ...rest,
    ...(scheduleId === undefined ? {} : { scheduleId }),
    ...(reason === undefined ? {} : { sourceReason: reason }),
    ...(message === undefined ? {} : { message: withDetail(message, detail) }),
    ...(messageKo === undefined ? {} : { messageKo: withDetail(messageKo, detail) }),
    ffmpegFound,
  };
}

/** The connection to a fetched source, in the words of platforms. */
function pullAnswer(url: string, link: PullStatus | undefined, isViewer: boolean) {
  const shown = isViewer ? maskAddress(url) : maskPullUrl(url);
  if (link === undefined) return { url: shown, connectStatus: "READY" };
  const { status, lastError, retryAttempt, nextRetryTime, isUnstable, variant } = link;
  return {
    ...{ url: shown, connectStatus: status, stability: isUnstable ? "unstable" : "stable" },
    ...(variant === undefined ? {} : { variant }),
    ...(lastError === undefined ? {} : { lastError }),
    ...(retryAttempt === undefined ? {} : { retryAttempt }),
    ...(nextRetryTime === undefined ? {} : { nextRetryTime }),
  };
}

function withDetail(sentence: string, detail: string | undefined): string {
  return detail === undefined ? sentence : `${sentence} (${detail})`;
}

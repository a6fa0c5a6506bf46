import type { ReportAnswer } from "../schemas/event-answer-schemas.ts";
import { enEvents } from "./en-events.ts";
import type { EventTexts } from "./event-sentences.ts";
import { koEvents } from "./ko-events.ts";

type Refusal = NonNullable<ReportAnswer["refusedEncoders"]>[number]["reason"];

/** The words of a report's files in one language. */
export type ReportWords = {
  readonly events: EventTexts;
  /** The headings of the table of values. */
  readonly csv: {
    readonly time: string;
    readonly ingest: string;
    readonly ofPlatform: readonly [rate: string, queue: string, drops: string, retries: string];
  };
  readonly platform: string;
  readonly encoder: string;
  readonly bitrate: (most: string) => string;
  readonly bitrateLabel: string;
  readonly length: (duration: string, end: string, reason: string) => string;
  readonly zone: (timeZone: string) => string;
  readonly onlyTest: string;
  readonly titles: {
    readonly platforms: string;
    readonly interruptions: string;
    readonly refused: string;
    readonly timeline: string;
  };
  readonly platformHeads: readonly string[];
  readonly interruptionHeads: readonly string[];
  readonly refusedHeads: readonly string[];
  readonly timelineHeads: readonly string[];
  readonly refusals: Readonly<Record<Refusal, string>>;
  readonly neverOnAir: string;
};

const en: ReportWords = {
  events: enEvents,
  csv: {
    time: "time",
    ingest: "ingest kbit/s",
    ofPlatform: ["kbit/s", "queue ms", "dropped frames", "retries"],
  },
  platform: "platform",
  encoder: "Encoder",
  bitrate: (most) => `Incoming bitrate, up to ${most} kbit/s`,
  bitrateLabel: "Incoming bitrate over time",
  length: (duration, end, reason) => `On air for ${duration}, until ${end}. How it ended: ${reason}.`,
  zone: (timeZone) => `All times are in the time zone ${timeZone}.`,
  onlyTest: "Nothing but the test pattern was on air.",
  titles: {
    platforms: "Platforms",
    interruptions: "Interruptions",
    refused: "Rejected encoders",
    timeline: "Timeline",
  },
  platformHeads: ["Platform", "On air for", "MB sent", "Retries", "Dropped frames", "Interruptions"],
  interruptionHeads: ["Time", "Where", "Duration", "Cause"],
  refusedHeads: ["Last time", "Source IP", "Attempts", "Cause"],
  timelineHeads: ["Time", "Event", "By"],
  refusals: {
    "unknown-key": "wrong stream key",
    "auth-failed": "wrong login or SRT passphrase",
    "channel-off": "the channel is disabled",
    "too-many-guesses": "blocked after too many wrong keys or logins",
    "encoders-fight": "another encoder is using the same key",
    overloaded: "the server is overloaded",
  },
  neverOnAir: enEvents.report.neverOnAir,
};

const ko: ReportWords = {
  events: koEvents,
  csv: {
    time: "시각",
    ingest: "수신 kbit/s",
    ofPlatform: ["kbit/s", "지연 ms", "드롭된 프레임", "재시도"],
  },
  platform: "플랫폼",
  encoder: "인코더",
  bitrate: (most) => `수신 비트레이트, 최대 ${most} kbit/s`,
  bitrateLabel: "시간에 따른 수신 비트레이트",
  length: (duration, end, reason) => `방송 시간 ${duration}, 종료 ${end}. 종료 사유: ${reason}.`,
  zone: (timeZone) => `모든 시각은 ${timeZone} 시간대 기준입니다.`,
  onlyTest: "테스트 영상만 송출된 방송입니다.",
  titles: { platforms: "플랫폼", interruptions: "중단", refused: "거부된 인코더", timeline: "타임라인" },
  platformHeads: ["플랫폼", "송출 시간", "전송량(MB)", "재시도", "드롭된 프레임", "중단 횟수"],
  interruptionHeads: ["시각", "위치", "지속 시간", "원인"],
  refusedHeads: ["마지막 시각", "접속 IP", "시도 횟수", "원인"],
  timelineHeads: ["시각", "이벤트", "변경한 사람"],
  refusals: {
    "unknown-key": "잘못된 스트림 키",
    "auth-failed": "잘못된 로그인·SRT 암호",
    "channel-off": "송출이 차단된 채널",
    "too-many-guesses": "잘못된 키나 로그인을 너무 많이 시도해 차단됨",
    "encoders-fight": "다른 인코더가 같은 키를 사용 중",
    overloaded: "서버 과부하",
  },
  neverOnAir: koEvents.report.neverOnAir,
};

/** The languages of a report's files. */
export type ReportLanguage = "en" | "ko";

export const REPORT_WORDS: Readonly<Record<ReportLanguage, ReportWords>> = { en, ko };

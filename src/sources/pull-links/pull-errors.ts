import { unreachable } from "../../base/unreachable.ts";
import { OpenError } from "../../egress/open-socket.ts";
import { ForbiddenTargetError } from "../../net/target-address.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";

type Sentence = Pick<TargetError, "code" | "severity"> & { readonly en: string; readonly ko: string };

/** Everything that can be wrong with a source that is fetched. The codes are those of targets. */
const SENTENCES = {
  "name-failed": {
    code: "DNS_FAILED",
    severity: "transient",
    en: "The source's host name could not be found: check the URL and this server's DNS.",
    ko: "소스의 호스트 이름을 찾지 못했습니다. URL과 이 서버의 DNS 설정을 확인해 주세요.",
  },
  "address-forbidden": {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The source is at an address that is not allowed ({detail}): correct the URL, or let the operator allow its network with FANFARE_TARGET_ALLOW.",
    ko: "허용되지 않은 주소의 소스입니다({detail}). URL을 고치거나, 운영자가 FANFARE_TARGET_ALLOW로 해당 네트워크를 허용해야 합니다.",
  },
  "connection-refused": {
    code: "TCP_REFUSED",
    severity: "transient",
    en: "The source refused the connection: nothing listens at this address and port.",
    ko: "소스가 연결을 거부했습니다. 이 주소와 포트에서 응답하는 서버가 없습니다.",
  },
  "connection-unanswered": {
    code: "TCP_TIMEOUT",
    severity: "transient",
    en: "The source did not answer: check URL and port, and whether a firewall is in between.",
    ko: "소스가 응답하지 않았습니다. URL과 포트, 그리고 방화벽을 확인해 주세요.",
  },
  "connection-failed": {
    code: "TCP_RESET",
    severity: "transient",
    en: "The connection to the source was lost.",
    ko: "소스와의 연결이 끊어졌습니다.",
  },
  "tls-failed": {
    code: "TLS_FAILED",
    severity: "fatal",
    en: "No secure connection to the source ({detail}): check the URL and the source's certificate.",
    ko: "소스와 보안 연결을 맺지 못했습니다({detail}). URL과 소스의 인증서를 확인해 주세요.",
  },
  "server-trouble": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the source, is the cause: it could not open a connection ({detail}).",
    ko: "소스가 아니라 이 서버가 원인입니다. 연결을 열 수 없습니다({detail}).",
  },
  "login-refused": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "The source refused the login ({detail}): check user name, password or passphrase in the URL.",
    ko: "소스가 로그인을 거부했습니다({detail}). URL의 사용자 이름, 비밀번호, 암호문을 확인해 주세요.",
  },
  "not-there": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The source has no stream at this address now ({detail}).",
    ko: "지금 이 주소에는 스트림이 없습니다({detail}).",
  },
  redirected: {
    code: "TARGET_FORBIDDEN",
    severity: "fatal",
    en: "The source leads to another address, which is not followed ({detail}): enter that address, if it is right.",
    ko: "소스가 다른 주소로 안내하지만 따라가지 않습니다({detail}). 올바른 주소라면 그 주소를 입력해 주세요.",
  },
  foreign: {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "What is at this address is not what the URL says ({detail}): check scheme, port and path.",
    ko: "URL과 다른 종류의 서버입니다({detail}). 프로토콜, 포트, 경로를 확인해 주세요.",
  },
  "too-much": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The source sent more than is read ({detail}).",
    ko: "소스가 허용된 것보다 많은 데이터를 보냈습니다({detail}).",
  },
  silent: {
    code: "STALLED",
    severity: "transient",
    en: "No media has come from the source for 15 seconds.",
    ko: "15초 동안 소스에서 영상도 오디오도 오지 않았습니다.",
  },
  ended: {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The source ended the stream.",
    ko: "소스가 스트림을 끝냈습니다.",
  },
  "times-back": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The source began anew, and its times with it: it is connected to anew.",
    ko: "소스가 새로 시작하면서 시간도 처음으로 돌아가 다시 연결합니다.",
  },
  "other-form": {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The source goes on in another form (size or codec): it is connected to anew.",
    ko: "소스가 다른 형식(크기 또는 코덱)으로 이어져 다시 연결합니다.",
  },
  broken: {
    code: "REMOTE_CLOSED",
    severity: "transient",
    en: "The source cannot be read: FFmpeg says: {detail}.",
    ko: "소스를 읽을 수 없습니다. FFmpeg 메시지: {detail}",
  },
  codec: {
    code: "CODEC_UNSUPPORTED",
    severity: "fatal",
    en: "The source's video cannot be sent as it is ({detail}): it has to be H.264, or H.265, AV1 or VP9 with FFmpeg 6.1 or newer.",
    ko: "소스의 영상을 그대로 송출할 수 없습니다({detail}). H.264이거나, FFmpeg 6.1 이상에서 H.265, AV1, VP9이어야 합니다.",
  },
  "ffmpeg-missing": {
    code: "SERVER_TROUBLE",
    severity: "fatal",
    en: "FFmpeg is not installed on this server: sources need it.",
    ko: "이 서버에 FFmpeg이 설치되어 있지 않습니다. 소스에 필요합니다.",
  },
  "ffmpeg-ended": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server, not the source, is the cause: FFmpeg, which reads the source, was ended ({detail}).",
    ko: "소스가 아니라 이 서버가 원인입니다. 소스를 읽는 FFmpeg이 종료되었습니다({detail}).",
  },
  "not-taken": {
    code: "SERVER_TROUBLE",
    severity: "transient",
    en: "This server does not take the stream now ({detail}).",
    ko: "지금은 이 서버가 스트림을 받지 않습니다({detail}).",
  },
} as const satisfies Readonly<Record<string, Sentence>>;

export type PullErrorName = keyof typeof SENTENCES;

/** Returns the error of this name. Without a detail the sentence has no placeholder. */
export function pullError(name: PullErrorName, detail = ""): TargetError {
  const { code, severity, en, ko } = SENTENCES[name];
  const fill = (sentence: string) =>
    detail === "" ? sentence.replace(/ ?\(\{detail\}\)/, "") : sentence.replace("{detail}", detail);
  return { code, severity, message: fill(en), messageKo: fill(ko) };
}

/** A source could not be reached, or sent what is not taken. */
export class PullFailure extends Error {
  override readonly name = "PullFailure";
  readonly error: TargetError;
  constructor(error: TargetError, options: ErrorOptions = {}) {
    super(error.message, options);
    this.error = error;
  }
}

/** What a target's error means for a source; keeps how serious it is. `detail`: for sentences that have a place for it. */
export function sourceError({ code, severity }: Pick<TargetError, "code" | "severity">, detail = ""): TargetError {
  return { ...pullError(nameOf(code), detail), severity };
}

/** Any error of opening a connection as a failure of the source. */
export function failureOf(error: unknown): PullFailure {
  if (error instanceof PullFailure) return error;
  if (!(error instanceof OpenError)) {
    const detail = error instanceof Error ? error.message : String(error);
    return new PullFailure(pullError("server-trouble", detail), { cause: error });
  }
  const { cause, targetError, trouble } = error;
  const detail = cause instanceof ForbiddenTargetError ? cause.reason : (trouble ?? codeOf(cause) ?? "");
  return new PullFailure(sourceError(targetError, detail), { cause: error });
}

function nameOf(code: TargetError["code"]): PullErrorName {
  switch (code) {
    case "DNS_FAILED":
      return "name-failed";
    case "TARGET_FORBIDDEN":
      return "address-forbidden";
    case "TCP_REFUSED":
      return "connection-refused";
    case "TCP_TIMEOUT":
      return "connection-unanswered";
    case "TCP_RESET":
      return "connection-failed";
    case "TLS_FAILED":
      return "tls-failed";
    case "AUTH_FAILED":
      return "login-refused";
    case "CONNECT_REJECTED":
    case "PUBLISH_REJECTED":
    case "STREAM_KEY_IN_USE":
      return "not-there";
    case "HANDSHAKE_FAILED":
      return "foreign";
    case "CODEC_UNSUPPORTED":
      return "codec";
    case "STALLED":
      return "silent";
    case "REMOTE_CLOSED":
      return "ended";
    case "SERVER_TROUBLE":
    case "NODE_LOST":
      return "server-trouble";
    default:
      return unreachable(code);
  }
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

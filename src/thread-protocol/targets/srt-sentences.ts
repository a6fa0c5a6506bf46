import type { TargetSentence } from "./target-sentence.ts";

/** How a target over SRT rejected our call, or did not answer it. */
export const SRT_SENTENCES = {
  "srt-unanswered": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform did not answer over SRT: check host and port, and whether UDP reaches it; we go on trying.",
    ko: "플랫폼이 SRT로 응답하지 않았습니다. 호스트와 포트, UDP 통신이 가능한지 확인해 주세요. 계속 재시도합니다.",
  },
  "srt-foreign": {
    code: "HANDSHAKE_FAILED",
    severity: "transient",
    en: "The platform answered with something that is not SRT as we know it ({detail}): check host and port; we go on trying.",
    ko: "플랫폼이 지원하지 않는 형식의 SRT로 응답했습니다({detail}). 호스트와 포트를 확인해 주세요. 계속 재시도합니다.",
  },
  "srt-passphrase": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "The platform has another SRT passphrase ({detail}): correct passphrase= in the address.",
    ko: "플랫폼의 SRT 암호가 다릅니다({detail}). 주소의 passphrase= 값을 바르게 고쳐 주세요.",
  },
  "srt-passphrase-one-side": {
    code: "AUTH_FAILED",
    severity: "fatal",
    en: "Only one side uses an SRT passphrase ({detail}): add the platform's as passphrase= to the address, or remove it there.",
    ko: "한쪽만 SRT 암호를 사용합니다({detail}). 플랫폼의 암호를 주소에 passphrase=로 추가하거나 주소에서 제거해 주세요.",
  },
  "srt-stream-id": {
    code: "PUBLISH_REJECTED",
    severity: "fatal",
    en: "The platform rejected the stream ID ({detail}): check the stream key, which is sent as the stream ID.",
    ko: "플랫폼이 스트림 ID를 거부했습니다({detail}). 스트림 ID로 전송되는 스트림 키를 확인해 주세요.",
  },
  "srt-in-use": {
    code: "STREAM_KEY_IN_USE",
    severity: "transient",
    en: "The platform already gets a stream with this stream ID ({detail}): end the other one; we go on trying.",
    ko: "플랫폼이 이 스트림 ID로 이미 송출을 받고 있습니다({detail}). 다른 송출을 종료해 주세요. 계속 재시도합니다.",
  },
  "srt-busy": {
    code: "CONNECT_REJECTED",
    severity: "transient",
    en: "The platform takes no connection at the moment ({detail}); we go on trying.",
    ko: "플랫폼이 지금은 연결을 받지 않습니다({detail}). 계속 재시도합니다.",
  },
  "srt-unsupported": {
    code: "CONNECT_REJECTED",
    severity: "fatal",
    en: "The platform rejected the kind of SRT connection that we make ({detail}): ask it for an address for live MPEG-TS from a caller.",
    ko: "플랫폼이 이 방식의 SRT 연결을 거부했습니다({detail}). 라이브 MPEG-TS를 caller로 송출할 수 있는 주소를 문의해 주세요.",
  },
  "srt-refused": {
    code: "PUBLISH_REJECTED",
    severity: "transient",
    en: "The platform refused the connection without a reason ({detail}): check the stream key, which is sent as the stream ID, and the passphrase; we go on trying.",
    ko: "플랫폼이 이유 없이 연결을 거부했습니다({detail}). 스트림 ID로 전송되는 스트림 키와 암호를 확인해 주세요. 계속 재시도합니다.",
  },
} as const satisfies Readonly<Record<string, TargetSentence>>;

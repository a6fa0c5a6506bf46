import type { TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import type { Bilingual } from "../presets/target-preset.ts";

/** What a person should do next about a channel, as a closed list; these are the API's words. */
export const NEXT_STEPS = {
  START_ENCODER: {
    en: "Start streaming in the encoder.",
    ko: "인코더에서 송출을 시작해 주세요.",
  },
  WAIT_FOR_SOURCE: {
    en: "Nothing to do yet: the broadcast begins as soon as the source plays.",
    ko: "지금은 할 일이 없습니다. 소스가 재생되면 방송이 시작됩니다.",
  },
  CHECK_SOURCE: {
    en: "Check the source's address, and whether it is streaming.",
    ko: "소스의 주소가 맞는지, 소스가 송출 중인지 확인해 주세요.",
  },
  CHECK_WATCHED_FOLDER: {
    en: "Check the disk of the watched folder. The source goes on by itself.",
    ko: "감시 폴더의 디스크를 확인해 주세요. 소스는 자동으로 이어집니다.",
  },
  CHECK_SOURCE_FILES: {
    en: "Check the files of the source, and start it again.",
    ko: "소스의 파일을 확인하고 다시 시작해 주세요.",
  },
  TURN_CHANNEL_ON: {
    en: "Enable the channel.",
    ko: "채널의 송출 차단을 해제해 주세요.",
  },
  RESTART_ENCODER: {
    en: "Check the encoder and its network, and start streaming again before the hold ends.",
    ko: "인코더와 네트워크를 확인하고, 송출 유지가 끝나기 전에 송출을 다시 시작해 주세요.",
  },
  TURN_PLATFORM_ON: {
    en: "Switch a platform on.",
    ko: "플랫폼을 하나 이상 켜 주세요.",
  },
  CHECK_ADDRESS: {
    en: "Check the platform's address.",
    ko: "플랫폼의 주소를 확인해 주세요.",
  },
  CHECK_KEY: {
    en: "Copy the stream key again from the platform, and check there that the broadcast is open.",
    ko: "플랫폼에서 스트림 키를 다시 복사하고, 방송이 열려 있는지 확인해 주세요.",
  },
  CHECK_LOGIN: {
    en: "Check the platform's username and password.",
    ko: "플랫폼의 사용자 이름과 비밀번호를 확인해 주세요.",
  },
  STOP_OTHER_PROGRAM: {
    en: "Stop the other program that streams with this key, or use another key.",
    ko: "같은 키로 송출하는 다른 프로그램을 중지하거나 다른 키를 사용해 주세요.",
  },
  CHECK_CERTIFICATE: {
    en: "Check the platform's address and its certificate.",
    ko: "플랫폼의 주소와 인증서를 확인해 주세요.",
  },
  CHECK_CONNECTION: {
    en: "Check the connection to the platform, or lower the bitrate in the encoder.",
    ko: "플랫폼과의 연결을 확인하거나 인코더의 비트레이트를 낮춰 주세요.",
  },
  WAIT: {
    en: "Nothing to do yet: the server reconnects by itself.",
    ko: "지금은 할 일이 없습니다. 서버가 자동으로 다시 연결합니다.",
  },
  CHANGE_ENCODER: {
    en: "Change this in the encoder's settings.",
    ko: "인코더 설정에서 이 항목을 변경해 주세요.",
  },
  CHECK_BACKUP: {
    en: "Use the same settings in both encoders.",
    ko: "두 인코더의 설정을 동일하게 맞춰 주세요.",
  },
  CHANGE_SLATE: {
    en: "Choose another file as the slate, or change the stream's codecs in the encoder.",
    ko: "대기 화면으로 다른 파일을 선택하거나 인코더에서 스트림의 코덱을 변경해 주세요.",
  },
  ASK_OPERATOR: {
    en: "Tell the operator of this server.",
    ko: "이 서버의 운영자에게 알려 주세요.",
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

export type NextStep = keyof typeof NEXT_STEPS;

/** The next step for a target that failed, by its error. */
export const STEP_OF_ERROR: Readonly<Record<TargetErrorCode, NextStep>> = {
  DNS_FAILED: "CHECK_ADDRESS",
  TCP_REFUSED: "CHECK_ADDRESS",
  TCP_TIMEOUT: "CHECK_CONNECTION",
  TCP_RESET: "WAIT",
  TLS_FAILED: "CHECK_CERTIFICATE",
  HANDSHAKE_FAILED: "CHECK_ADDRESS",
  CONNECT_REJECTED: "CHECK_ADDRESS",
  AUTH_FAILED: "CHECK_LOGIN",
  PUBLISH_REJECTED: "CHECK_KEY",
  STREAM_KEY_IN_USE: "STOP_OTHER_PROGRAM",
  REMOTE_CLOSED: "CHECK_KEY",
  STALLED: "CHECK_CONNECTION",
  TARGET_FORBIDDEN: "CHECK_ADDRESS",
  CODEC_UNSUPPORTED: "CHANGE_ENCODER",
  SERVER_TROUBLE: "ASK_OPERATOR",
  NODE_LOST: "ASK_OPERATOR",
};

import type { CONTACT_PROBLEMS } from "../../../../src/api-contract/contacts/contact-words.ts";
import type { Delivery } from "../../base/model.ts";
import { language } from "../../text/text.ts";

type Problem = (typeof CONTACT_PROBLEMS)[number];

const en = {
  title: "Messages to people",
  help: "Chat rooms and mailboxes that are told what happens. What happens together is one message, and a platform that keeps failing is told ever more rarely.",
  add: "Add contact",
  edit: "Edit contact",
  none: "No contacts yet.",
  name: "Name",
  kind: "Kind",
  kinds: { slack: "Slack", discord: "Discord", telegram: "Telegram", kakaowork: "KakaoWork", email: "E-mail" },
  state: "Last message",
  never: "Nothing sent yet",
  off: "Off",
  failed: (why: string) => `Not delivered: ${why}. It is tried again.`,
  webhookUrl: "Incoming webhook URL",
  botToken: "Bot token",
  chatId: "Chat ID",
  mailTo: "E-mail addresses",
  mailHelp: "Separated by commas or lines. A mail server must be set on the server (FANFARE_SMTP_URL).",
  secretStays: "Leave empty to keep the saved one.",
  events: "What to send",
  scopes: { problems: "Problems and recoveries", all: "All events" },
  language: "Language",
  languages: { en: "English", ko: "한국어" },
  channelIds: "Only these channels",
  channelsHelp: "Channel IDs, separated by commas or lines. Empty: all channels.",
  enabled: "Active",
  yes: "On",
  no: "Off",
  test: "Send test",
  tested: "The test message was delivered.",
  testFailed: (why: string | number) => `The test message was not delivered: ${why}`,
  removeSure: (name: string) => `${name} gets no more messages.`,
  /** Beside those of webhooks. */
  problems: {
    NO_MAIL_SERVER: "no mail server is set",
    MAIL_REJECTED: "the mail server rejected it",
  } satisfies Record<Exclude<Problem, Delivery["lastProblem"]>, string>,
};

const ko: typeof en = {
  title: "알림 메시지",
  help: "채널에서 일어난 일을 받을 채팅방과 메일입니다. 함께 일어난 일은 한 메시지로 보내고, 계속 실패하는 플랫폼은 점점 드물게 알립니다.",
  add: "연락처 추가",
  edit: "연락처 편집",
  none: "아직 연락처가 없습니다.",
  name: "이름",
  kind: "종류",
  kinds: { slack: "Slack", discord: "Discord", telegram: "텔레그램", kakaowork: "카카오워크", email: "이메일" },
  state: "마지막 메시지",
  never: "아직 보낸 메시지 없음",
  off: "꺼짐",
  failed: (why) => `전달되지 않음: ${why}. 다시 시도합니다.`,
  webhookUrl: "수신 웹훅 URL",
  botToken: "봇 토큰",
  chatId: "채팅 ID",
  mailTo: "메일 주소",
  mailHelp: "쉼표나 줄바꿈으로 구분합니다. 서버에 메일 서버가 설정되어 있어야 합니다(FANFARE_SMTP_URL).",
  secretStays: "비워 두면 저장된 값을 그대로 씁니다.",
  events: "보낼 내용",
  scopes: { problems: "문제와 복구", all: "모든 이벤트" },
  language: "언어",
  languages: { en: "English", ko: "한국어" },
  channelIds: "이 채널만",
  channelsHelp: "채널 ID를 쉼표나 줄바꿈으로 구분합니다. 비워 두면 모든 채널입니다.",
  enabled: "사용",
  yes: "켜짐",
  no: "꺼짐",
  test: "테스트 보내기",
  tested: "테스트 메시지가 전달되었습니다.",
  testFailed: (why) => `테스트 메시지가 전달되지 않았습니다: ${why}`,
  removeSure: (name) => `${name}에 더 이상 메시지를 보내지 않습니다.`,
  problems: {
    NO_MAIL_SERVER: "메일 서버가 설정되지 않음",
    MAIL_REJECTED: "메일 서버가 거부함",
  },
};

/** The texts of contacts in the page's language. They are loaded with the panel. */
export function words(): typeof en {
  return language.value === "ko" ? ko : en;
}

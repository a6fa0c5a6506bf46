import type { CONTACT_PROBLEMS } from "../../../../src/api-contract/contacts/contact-words.ts";
import type { Delivery } from "../../base/model.ts";

type Problem = (typeof CONTACT_PROBLEMS)[number];

export const enContacts = {
  title: "Chat and e-mail alerts",
  help: "Sends problems to a chat room or by e-mail. What happens at the same time comes as one message, and a platform that keeps failing is reported less and less often.",
  add: "Add contact",
  edit: "Edit contact",
  none: "No contacts yet.",
  name: "Name",
  kind: "Kind",
  kinds: { slack: "Slack", discord: "Discord", telegram: "Telegram", kakaowork: "KakaoWork", email: "E-mail" },
  state: "Last message",
  never: "Nothing sent yet",
  off: "Off",
  failed: (why: string) => `Not delivered: ${why}. Trying again.`,
  webhookUrl: "Incoming webhook URL",
  botToken: "Bot token",
  chatId: "Chat ID",
  mailTo: "E-mail addresses",
  mailHelp: "Separate them with commas or line breaks. The server needs a mail server (FANFARE_SMTP_URL).",
  secretStays: "Leave empty to keep the saved one.",
  events: "What to send",
  scopes: { problems: "Problems and recoveries", all: "All events" },
  language: "Language",
  languages: { en: "English", ko: "한국어" },
  channels: "Only these channels",
  channelsHelp: "Leave all unchecked for every channel.",
  goneChannel: "Deleted channel",
  enabled: "Send messages",
  test: "Send test",
  tested: "The test message was delivered.",
  testFailed: (why: string | number) => `The test message was not delivered: ${why}`,
  removeSure: (name: string) => `Delete ${name}? It gets no more messages.`,
  /** Beside those of webhooks. */
  problems: {
    NO_MAIL_SERVER: "no mail server is set",
    MAIL_REJECTED: "the mail server rejected it",
  } satisfies Record<Exclude<Problem, Delivery["lastProblem"]>, string>,
};

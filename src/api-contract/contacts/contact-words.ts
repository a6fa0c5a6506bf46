import { DELIVERY_PROBLEMS } from "../event-words.ts";

/** Where messages can go. */
export const CONTACT_KINDS = ["slack", "discord", "telegram", "kakaowork", "email"] as const;
export type ContactKind = (typeof CONTACT_KINDS)[number];

/** Which events a contact gets. `problems`: warnings, errors, and what ends them. */
export const CONTACT_EVENTS = ["problems", "all"] as const;
export type ContactEvents = (typeof CONTACT_EVENTS)[number];

/** Languages of messages. */
export const CONTACT_LANGUAGES = ["en", "ko"] as const;
export type ContactLanguage = (typeof CONTACT_LANGUAGES)[number];

/** Why a message was not sent. `NO_MAIL_SERVER`: no mail server is set. `MAIL_REJECTED`: the mail server said no. */
export const CONTACT_PROBLEMS = [...DELIVERY_PROBLEMS, "NO_MAIL_SERVER", "MAIL_REJECTED"] as const;
export type ContactProblem = (typeof CONTACT_PROBLEMS)[number];

/** Where the bots of Telegram are called; a server of one's own may stand there instead. */
export const TELEGRAM_API = "https://api.telegram.org";

/** The address of a contact. All but the addresses of mail are secret. */
export type ContactAddress =
  /** The address of an incoming webhook: who has it can post there. */
  | { readonly kind: "slack" | "discord" | "kakaowork"; readonly url: string }
  | { readonly kind: "telegram"; readonly botToken: string; readonly chatId: string; readonly apiUrl: string }
  | { readonly kind: "email"; readonly to: readonly string[] };

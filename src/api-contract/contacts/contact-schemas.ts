import { z } from "zod";
import { addressProblem } from "../input/address-form.ts";
import { isAtMost, isName } from "../input/text-rules.ts";
import { isMaskedAddress } from "../masks.ts";
import { CONTACT_EVENTS, CONTACT_KINDS, CONTACT_LANGUAGES } from "./contact-words.ts";

const LONGEST = { name: 40, url: 1_024, mailbox: 254 } as const;
const MAILBOXES_MAX = 20;
const CHANNELS_MAX = 100;

const NAME_RULE = `text of 1 to ${LONGEST.name} characters, none of them a control character`;
const name = z
  .string({ error: NAME_RULE })
  .refine((text) => isName(text, LONGEST.name), { error: NAME_RULE })
  .transform((text) => text.trim());

/** WHATWG's `URL` must accept it too, since the connection uses that. */
function webAddress(text: string): string | undefined {
  if (!isAtMost(text, LONGEST.url)) return `an address of at most ${LONGEST.url} characters`;
  return addressProblem(text, ["http", "https"], "") ?? (URL.canParse(text) ? undefined : "an address");
}

const urlWhere = (problemOf: (text: string) => string | undefined) =>
  z.string({ error: "an http:// or https:// address" }).check((context) => {
    const message = problemOf(context.value);
    if (message !== undefined) context.issues.push({ code: "custom", message, input: context.value });
  });
const url = urlWhere(webAddress);
/** In a change also as answers show the present one. */
const changedUrl = urlWhere((text) => (isMaskedAddress(text) ? undefined : webAddress(text)));

export const TOKEN_RULE = "a bot's token, such as 123456:ABC-DEF…";
const token = z.string({ error: TOKEN_RULE });
/** The form of a bot's token, as @BotFather gives it. */
const botToken = token.regex(/^\d{1,20}:[\w-]{20,128}$/, { error: TOKEN_RULE });
/** In a change also as answers show the present one. */
const changedToken = token.regex(/^\d(?:\d{0,19}:[\w-]{20,128}|\*{21,148})$/, { error: TOKEN_RULE });
const CHAT_RULE = "a chat's number, or @ and a channel's name";
const chatId = z.string({ error: CHAT_RULE }).regex(/^(?:-?\d{1,20}|@\w{4,64})$/, { error: CHAT_RULE });

const MAIL_RULE = `1 to ${MAILBOXES_MAX} mail addresses`;
const mailTo = z
  .array(
    z
      .string({ error: "a mail address" })
      .max(LONGEST.mailbox, { error: "a mail address" })
      .regex(/^[^\s@<>(),;:"\\[\]\p{C}]{1,64}@[^\s@<>(),;:"\\[\]\p{C}]+$/u, { error: "a mail address" }),
    { error: MAIL_RULE },
  )
  .min(1, { error: MAIL_RULE })
  .max(MAILBOXES_MAX, { error: MAIL_RULE });

const CHANNELS_RULE = `at most ${CHANNELS_MAX} channel ids`;
const channelIds = z
  .array(z.string({ error: "a channel id" }).regex(/^[\w-]{1,64}$/, { error: "a channel id" }), {
    error: CHANNELS_RULE,
  })
  .max(CHANNELS_MAX, { error: CHANNELS_RULE });

const oneOf = <const Values extends readonly [string, ...string[]]>(values: Values) =>
  z.enum(values, { error: `one of ${values.join(", ")}` });

const settings = {
  webhookUrl: url.nullish(),
  botToken: botToken.nullish(),
  chatId: chatId.nullish(),
  apiUrl: url.nullish(),
  mailTo: mailTo.nullish(),
  eventScope: oneOf(CONTACT_EVENTS).nullish(),
  channelIds: channelIds.nullish(),
  language: oneOf(CONTACT_LANGUAGES).nullish(),
  enabled: z.boolean({ error: "true or false" }).nullish(),
};

/** Body of a new contact. Which of the address's fields it needs depends on its kind. */
export const createContactRequest = z.object({ contactName: name, contactKind: oneOf(CONTACT_KINDS), ...settings });

/** Body of a change; absent fields stay as they are. */
export const updateContactRequest = z.object({
  contactName: name.nullish(),
  ...settings,
  webhookUrl: changedUrl.nullish(),
  botToken: changedToken.nullish(),
  apiUrl: changedUrl.nullish(),
});

export type ContactFields = z.output<typeof updateContactRequest>;

import { z } from "zod";
import { CONTACT_EVENTS, CONTACT_KINDS, CONTACT_LANGUAGES, CONTACT_PROBLEMS } from "./contact-words.ts";

const time = z.int().min(0);

/** The answers of the calls about contacts. */
export const contactSchemas = {
  Contact: z.strictObject({
    contactId: z.string(),
    contactName: z.string(),
    contactKind: z.enum(CONTACT_KINDS),
    webhookUrl: z.string().optional(),
    botToken: z.string().optional(),
    chatId: z.string().optional(),
    apiUrl: z.string().optional(),
    mailTo: z.array(z.string()).optional(),
    eventScope: z.enum(CONTACT_EVENTS),
    channelIds: z.array(z.string()),
    language: z.enum(CONTACT_LANGUAGES),
    enabled: z.boolean(),
    createdTime: time,
    updateTime: time,
    lastSentTime: time.optional(),
    lastStatus: z.int().optional(),
    lastProblem: z.enum(CONTACT_PROBLEMS).optional(),
    waitingCount: z.int().min(0),
    nextTime: time.optional(),
  }),
  ContactTest: z.strictObject({
    ok: z.boolean(),
    lastStatus: z.int().optional(),
    lastProblem: z.enum(CONTACT_PROBLEMS).optional(),
    milliseconds: z.int().min(0),
  }),
} as const;

export type ContactAnswer = z.output<(typeof contactSchemas)["Contact"]>;

import { z } from "zod";
import { AUDIT_ACTIONS } from "../audit/audit-actions.ts";
import { addressProblem } from "../input/address-form.ts";
import { isAtMost } from "../input/text-rules.ts";
import { timeZone } from "./schedule-schemas.ts";
import { condition, ofChannel, pageFields } from "./schemas.ts";

const ACTOR_RULE = "an access key, or dashboard";
const ACTOR_CHARACTERS_MAX = 128;
/** The longest callback address, in characters. */
const CALLBACK_CHARACTERS_MAX = 1024;

/** WHATWG's `URL` must accept it too, since the connection uses that. Empty text removes the endpoint. */
const callbackUrl = z.string({ error: "an http:// or https:// address" }).check((context) => {
  const url = context.value;
  if (url === "") return;
  const problem = !isAtMost(url, CALLBACK_CHARACTERS_MAX)
    ? `an address of at most ${CALLBACK_CHARACTERS_MAX} characters`
    : addressProblem(url, ["http", "https"], "");
  if (problem !== undefined) context.issues.push({ code: "custom", message: problem, input: url });
  else if (!URL.canParse(url)) context.issues.push({ code: "custom", message: "an address", input: url });
});

/** Body of calls 10 and 11: real clients send either name to either call. */
export const callbackRequest = z.object({
  callbackEndpoint: callbackUrl.nullish(),
  callbackUrl: callbackUrl.nullish(),
});

/** Query of calls 7 and 8, and of the reports. */
export const channelEventsQuery = z.object(pageFields);

/** Query of call 9 and of the deliveries: `channelId` narrows them to one channel. */
export const eventsQuery = z.object({ ...pageFields, channelId: ofChannel });

const moment = z
  .string({ error: "milliseconds since 1970" })
  .regex(/^\d{1,15}$/, { error: "milliseconds since 1970" })
  .transform(Number)
  .pipe(z.number());
const STEP_RULE = "a whole number of seconds from 1 to 86400";

/** Query of the history: a time range, and how long each point stands for. */
export const historyQuery = z.object({
  fromTime: condition(moment),
  toTime: condition(moment),
  stepSeconds: z
    .string({ error: STEP_RULE })
    .regex(/^\d{1,5}$/, { error: STEP_RULE })
    .transform(Number)
    .pipe(z.number().min(1, { error: STEP_RULE }).max(86_400, { error: STEP_RULE }))
    .optional(),
});

const FORMAT_RULE = "json, csv or html";

/** Query of one report. `lang` and `timeZone` are of the forms that people read. */
export const reportQuery = z.object({
  format: z.enum(["json", "csv", "html"], { error: FORMAT_RULE }).optional(),
  lang: z.enum(["en", "ko"], { error: "en or ko" }).optional(),
  timeZone: timeZone.optional(),
});

/** Query of the audit. `timeZone` is of the CSV form. */
export const auditQuery = z.object({
  ...pageFields,
  channelId: ofChannel,
  actor: condition(z.string({ error: ACTOR_RULE }).max(ACTOR_CHARACTERS_MAX, { error: ACTOR_RULE })),
  action: condition(z.enum(AUDIT_ACTIONS, { error: "an action of the audit" })),
  fromTime: condition(moment),
  toTime: condition(moment),
  format: z.enum(["json", "csv"], { error: "json or csv" }).optional(),
  timeZone: timeZone.optional(),
});

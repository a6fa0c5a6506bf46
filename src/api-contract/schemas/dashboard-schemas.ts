import { z } from "zod";
import { ALERT_SCOPES, ALERT_SEVERITIES } from "../alerts/alert-rules.ts";
import { LABEL_CHARACTERS_MAX } from "../input/channel-labels.ts";

const PASSWORD_RULE = "8 to 256 characters";
/** As in NIST SP 800-63B: at least 8 characters, and no rule about which. */
const newPassword = z
  .string({ error: PASSWORD_RULE })
  .min(8, { error: PASSWORD_RULE })
  .max(256, { error: PASSWORD_RULE });

const PRESENT_RULE = "text of at most 256 characters";
const presentSecret = z
  .string({ error: PRESENT_RULE })
  .min(1, { error: PRESENT_RULE })
  .max(256, { error: PRESENT_RULE });

/** Body of `POST /dashboard/setup`. */
export const dashboardSetupRequest = z.object({ token: presentSecret, password: newPassword });

/** Body of `POST /dashboard/session`. */
export const dashboardSignInRequest = z.object({ password: presentSecret });

/** Body of `PUT /dashboard/password`. */
export const dashboardPasswordRequest = z.object({ old: presentSecret, new: newPassword });

/** Most channels and labels that one browser's rules name. */
const RULE_CHANNELS_MAX = 500;
const RULE_LABELS_MAX = 100;
const CHANNEL_ID_CHARACTERS_MAX = 40;

const ENDPOINT_RULE = "an https:// address of at most 1024 characters, without user and password";
const endpoint = z
  .string({ error: ENDPOINT_RULE })
  .max(1_024, { error: ENDPOINT_RULE })
  .refine(isPushAddress, { error: ENDPOINT_RULE });

function isPushAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return protocol === "https:" && username === "" && password === "";
}

const KEY_RULE = "a key in base64url";
const key = z
  .string({ error: KEY_RULE })
  .max(200, { error: KEY_RULE })
  .regex(/^[A-Za-z0-9_-]+={0,2}$/, { error: KEY_RULE });
const KEYS_RULE = "an object with p256dh and auth";

const listOf = (max: number, characters: number) => {
  const rule = `at most ${max} texts of at most ${characters} characters`;
  const text = z
    .string({ error: rule })
    .min(1, { error: rule })
    .max(characters, { error: rule })
    .refine((each) => !/\p{Cc}/u.test(each), { error: rule });
  return z.array(text, { error: rule }).max(max, { error: rule });
};

const FLAG_RULE = "true or false";

/** Body of `PUT /dashboard/push`: a browser's subscription and its rules. */
export const dashboardPushRequest = z.object({
  endpoint,
  keys: z.object({ p256dh: key, auth: key }, { error: KEYS_RULE }),
  language: z.enum(["en", "ko"], { error: "one of en, ko" }),
  scope: z.enum(ALERT_SCOPES, { error: `one of ${ALERT_SCOPES.join(", ")}` }),
  channelIds: listOf(RULE_CHANNELS_MAX, CHANNEL_ID_CHARACTERS_MAX),
  labels: listOf(RULE_LABELS_MAX, 2 * LABEL_CHARACTERS_MAX),
  severities: z
    .array(z.enum(ALERT_SEVERITIES), { error: `a list of ${ALERT_SEVERITIES.join(", ")}` })
    .max(ALERT_SEVERITIES.length, { error: `a list of ${ALERT_SEVERITIES.join(", ")}` }),
  isQuietInFocus: z.boolean({ error: FLAG_RULE }),
});

/** Body of `DELETE /dashboard/push` and of `POST /dashboard/push/test`. */
export const dashboardPushEndpointRequest = z.object({ endpoint });

import { parsePublishStatusName } from "../../../api-contract/channel-status.ts";
import { parsePlanLimits } from "../../../control/channels/plan.ts";
import { REQUESTS_PER_SECOND_DEFAULT } from "../../../http/auth/limits.ts";
import { READERS_MAX } from "../../../http/live/live-stream.ts";
import { EVENT_STREAMS_PER_KEY_DEFAULT } from "../../../http/routes/live.ts";
import { parseOrigins } from "../../../http/server/cross-origin.ts";
import { oneOf, parsed, text } from "../setting-values.ts";
import { setting } from "./setting.ts";

/** The settings of access to the API. */
export const API_SETTINGS = {
  accessKey: setting(
    "FANFARE_ACCESS_KEY",
    text("4 to 128 letters, digits, - or _", /^[A-Za-z0-9_-]{4,128}$/),
    "Id of a manager key set by configuration, together with FANFARE_SECRET_KEY.",
  ),
  secretKey: setting(
    "FANFARE_SECRET_KEY",
    text("16 to 256 printable characters without blanks", /^[\x21-\x7e]{16,256}$/),
    "Secret of that key. Not a flag: everybody on this machine can read command lines.",
  ),
  replayProtection: setting(
    "FANFARE_REPLAY_PROTECTION",
    oneOf(["off", "writes"]),
    "Whether a signed request that changes something is accepted only once (writes), or as often as it is sent (off).",
    "off",
  ),
  planLimits: setting(
    "FANFARE_PLAN_LIMITS",
    parsed(
      parsePlanLimits,
      "PLAN=NUMBER pairs such as STANDARD=3,PROFESSIONAL=5,UNLIMITED=0 (0: 100, the most of any plan)",
    ),
    "How many platforms a channel of each plan may have.",
    "STANDARD=3,PROFESSIONAL=5,UNLIMITED=0",
  ),
  rateLimit: setting(
    "FANFARE_RATE_LIMIT",
    parsed((text) => (/^[1-9]\d{0,6}$/.test(text) ? Number(text) : undefined), "a whole number from 1 to 9999999"),
    "Requests that one access key may send within a second.",
    String(REQUESTS_PER_SECOND_DEFAULT),
  ),
  eventStreamsPerKey: setting(
    "FANFARE_EVENT_STREAMS_PER_KEY",
    parsed(
      (text) => (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= READERS_MAX ? Number(text) : undefined),
      `a whole number from 1 to ${READERS_MAX}`,
    ),
    "Event streams that one access key may have open.",
    String(EVENT_STREAMS_PER_KEY_DEFAULT),
  ),
  smtpUrl: setting(
    "FANFARE_SMTP_URL",
    text("smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the start", /^smtps?:\/\/[^\s\0]{1,1000}$/),
    "Server that sends mail to contacts (default: none, contacts of the kind email get nothing).",
  ),
  smtpFrom: setting(
    "FANFARE_SMTP_FROM",
    text("a mail address", /^[^\s@<>]{1,64}@[^\s@<>]{1,190}$/),
    "Sender's address of that mail.",
    "fanfare@localhost",
  ),
  corsOrigins: setting(
    "FANFARE_CORS_ORIGINS",
    parsed(
      parseOrigins,
      "comma-separated origins such as https://panel.example.com,http://localhost:5173, or * for any",
    ),
    "Origins whose web pages may send the API's headers (default: none).",
    "",
  ),
  publishStatusName: setting(
    "FANFARE_PUBLISH_STATUS_NAME",
    parsed(parsePublishStatusName, "PUBLISHING or PUBLISH"),
    "The channelStatus of a channel on air.",
    "PUBLISHING",
  ),
} as const;

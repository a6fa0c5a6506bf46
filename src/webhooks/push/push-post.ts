import { createHash } from "node:crypto";
import type { AlertText } from "../../control/alerts/alert-text.ts";
import type { PushSubscription, VapidKey } from "../../control/alerts/push.ts";
import type { AttemptResult } from "../../control/events/deliveries.ts";
import type { Post } from "../http-post.ts";
import { encryptPush, pushRandom } from "./push-encryption.ts";
import { vapidAuthorization } from "./vapid.ts";

/** How long a push service keeps a message for an absent browser, in seconds. */
const TTL_SECONDS = 60 * 60;
/**
 * The longest message before encryption, in bytes. Push services accept 4,096 bytes of the encrypted one (RFC 8030
 * §7.2).
 */
const TEXT_BYTES_MAX = 1_900;
/** A topic has at most 32 characters (RFC 8030 §5.4). */
const TOPIC_CHARACTERS = 32;

/** One notification for one browser. */
export type PushMessage = AlertText & {
  /** The channel it is about; absent: none, or many. */
  readonly channelId?: string;
  readonly isUrgent: boolean;
};

export type PushPostParts = {
  readonly post: Post;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly wallNow: () => number;
};

/**
 * Posts one message to a browser's push service, encrypted and signed. A later message about the same channel replaces
 * one that the browser did not get yet. Never rejects; undefined where the signal cancelled it.
 */
export function postPush(
  { post, randomBytes, wallNow }: PushPostParts,
  key: VapidKey,
  to: PushSubscription,
  message: PushMessage,
  signal: AbortSignal,
): Promise<AttemptResult | undefined> {
  const { endpoint, contact } = to;
  return post(
    {
      url: endpoint,
      headers: {
        authorization: vapidAuthorization(key, endpoint, contact, wallNow()),
        "content-encoding": "aes128gcm",
        "content-type": "application/octet-stream",
        ttl: String(TTL_SECONDS),
        urgency: message.isUrgent ? "high" : "normal",
        topic: topicOf(message),
      },
      body: encryptPush(payloadOf(message, to), to, pushRandom(randomBytes)),
    },
    signal,
  );
}

function topicOf({ channelId = "" }: PushMessage): string {
  return createHash("sha256").update(channelId).digest("base64url").slice(0, TOPIC_CHARACTERS);
}

/** The body that the dashboard's service worker reads. A text that is too long is cut. */
function payloadOf({ title, body, channelId }: PushMessage, { isQuietInFocus }: PushSubscription): string {
  const payload = (text: string) =>
    JSON.stringify({ title, body: text, ...(channelId === undefined ? {} : { channelId }), isQuietInFocus });
  let characters = [...body];
  while (Buffer.byteLength(payload(characters.join(""))) > TEXT_BYTES_MAX) characters = characters.slice(0, -20);
  return payload(characters.length === [...body].length ? body : `${characters.join("")}…`);
}

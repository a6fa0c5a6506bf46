import { createHmac } from "node:crypto";
import { WEBHOOK_SECRET_PREFIX } from "../control/events/callbacks.ts";

const MS_PER_SECOND = 1_000;

/** What is sent and signed. */
export type SignedMessage = {
  /** The same for every attempt of one event and for no other event, so that a receiver can recognise repetitions. */
  readonly id: string;
  /** When this attempt is made, milliseconds since the Unix epoch. */
  readonly nowMs: number;
  readonly body: string;
};

/**
 * The headers of Standard Webhooks: `v1,` and Base64(HMAC-SHA256(secret, id.timestamp.body)), with the timestamp in
 * whole seconds. The secret is `whsec_` followed by the key in Base64.
 */
export function signatureHeaders({ id, nowMs, body }: SignedMessage, secret: string): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(nowMs / MS_PER_SECOND));
  const key = Buffer.from(secret.slice(WEBHOOK_SECRET_PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`, "utf8").digest("base64");
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": `v1,${signature}` };
}

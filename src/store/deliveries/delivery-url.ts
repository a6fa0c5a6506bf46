import type { SecretPlace } from "../secrets/secret-place.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** Where a delivery's address is stored, sealed: its path or query may be a secret. */
export function deliveryUrlPlace(eventId: number): SecretPlace {
  return { table: "delivery", column: "url", row: String(eventId) };
}

/** A delivery's address as stored. */
export function sealDeliveryUrl(url: string, eventId: number, secrets: Secrets): string {
  return secrets.seal(url, deliveryUrlPlace(eventId));
}

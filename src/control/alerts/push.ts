import type { AlertRules } from "../../api-contract/alerts/alert-rules.ts";

/** The most subscribed browsers, over all sessions. */
export const PUSH_SUBSCRIPTIONS_MAX = 200;

/** Languages that a notification can be in. */
export const PUSH_LANGUAGES = ["en", "ko"] as const;
export type PushLanguage = (typeof PUSH_LANGUAGES)[number];

/**
 * One browser's subscription to push notifications (RFC 8030). Secret: anybody who has it can send messages to that
 * browser.
 */
export type PushSubscription = {
  /** The address of its push service: an https:// address that is itself a secret. */
  readonly endpoint: string;
  /** The browser's public key, an uncompressed point of P-256, and the secret shared with it (RFC 8291 §2); base64url. */
  readonly p256dh: string;
  readonly auth: string;
  readonly language: PushLanguage;
  /** The origin of the dashboard's page, as the contact for push services (RFC 8292 §2.1). */
  readonly contact: string;
  readonly rules: AlertRules;
  /** No notification while a page of the dashboard has the focus. */
  readonly isQuietInFocus: boolean;
};

/** A subscription as stored. `id` identifies it in the log, and is not secret. */
export type StoredPush = PushSubscription & { readonly id: string };

/** The key that signs this server's messages (RFC 8292), both halves as JSON Web Key parts. Secret. */
export type VapidKey = { readonly x: string; readonly y: string; readonly d: string };

/** The store of subscriptions. Every call may reject with StoreUnavailableError. */
export interface PushStore {
  /** Returns the server's stored key; stores this new one where there is none. */
  vapidKey(make: () => VapidKey): Promise<VapidKey>;
  /**
   * Stores a subscription for this session; one with the same endpoint is replaced. Returns false where the session has ended, or
   * where there are `PUSH_SUBSCRIPTIONS_MAX` others.
   */
  put(subscription: PushSubscription, sessionHash: string, now: number): Promise<boolean>;
  /** The subscriptions whose sessions have not ended and were used since this time. */
  list(usedSince: number): Promise<readonly StoredPush[]>;
  /** The subscription with this endpoint, whatever its session. */
  find(endpoint: string): Promise<StoredPush | undefined>;
  /** Does nothing where it is gone already. */
  delete(endpoint: string): Promise<void>;
}

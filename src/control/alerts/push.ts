import type { AlertRules } from "../../api-contract/alerts/alert-rules.ts";

/** Browsers that are subscribed at a time, all sessions together. */
export const PUSH_SUBSCRIPTIONS_MAX = 200;

/** Languages that a notification can be in. */
export const PUSH_LANGUAGES = ["en", "ko"] as const;
export type PushLanguage = (typeof PUSH_LANGUAGES)[number];

/** One browser's subscription to push notifications (RFC 8030). Secret: whoever has it can write to that browser. */
export type PushSubscription = {
  /** Where its push service takes messages: an https:// address that is a secret in itself. */
  readonly endpoint: string;
  /** The browser's public key, an uncompressed point of P-256, and the secret shared with it (RFC 8291 §2); base64url. */
  readonly p256dh: string;
  readonly auth: string;
  readonly language: PushLanguage;
  /** The origin of the dashboard's page, which push services may write to (RFC 8292 §2.1). */
  readonly contact: string;
  readonly rules: AlertRules;
  /** No notification while a page of the dashboard has the focus. */
  readonly isQuietInFocus: boolean;
};

/** A subscription as stored. `id` tells it from others in the log, and is no secret. */
export type StoredPush = PushSubscription & { readonly id: string };

/** The key that this server signs its messages with (RFC 8292), both halves as JSON Web Key parts. Secret. */
export type VapidKey = { readonly x: string; readonly y: string; readonly d: string };

/** Where subscriptions are kept. Every call may reject with StoreUnavailableError. */
export interface PushStore {
  /** The server's key: the one that is stored, or else this new one, which is stored. */
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
  /** No matter where it is gone already. */
  delete(endpoint: string): Promise<void>;
}

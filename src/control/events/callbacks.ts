import type { DeliveryProblem } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { RandomBytes } from "../access/ids.ts";
import type { ChannelRecord } from "../channels/channel.ts";
import type { ChannelChanged } from "../facts/server-fact.ts";

/** What a signing secret begins with, and how many bytes follow in Base64: both as Standard Webhooks has it. */
export const WEBHOOK_SECRET_PREFIX = "whsec_";
const SECRET_BYTES = 24;

/** Whose events go there: one channel's, or those of every channel that has no endpoint of its own. */
export type EndpointScope = { readonly channelId: ChannelId } | "default";

/** Where webhooks go. Holds a secret: never log it. Times are milliseconds since the Unix epoch. */
export type Endpoint = {
  readonly url: string;
  /** What deliveries are signed with, `whsec_…`. */
  readonly secret: string;
  readonly updateTime: number;
  /** When it answered 410 Gone: nothing is sent there until it is set again. */
  readonly goneTime?: number;
};

/** What a test message to an endpoint came to. */
export type WebhookTest = {
  readonly url: string;
  readonly durationMs: number;
  /** The HTTP status, or why there was none. */
  readonly status?: number;
  readonly problem?: DeliveryProblem;
};

/** Where endpoints are kept. Every call may reject with StoreUnavailableError. */
export interface EndpointStore {
  /** Takes the place of the one before; what waited for that one goes to this one, at once. */
  setEndpoint(scope: EndpointScope, endpoint: Endpoint): Promise<void>;
  /** What waits for it is cancelled when its turn comes. No matter where there is none. */
  removeEndpoint(scope: EndpointScope): Promise<void>;
  findEndpoint(scope: EndpointScope): Promise<Endpoint | undefined>;
}

export type CallbacksOptions = {
  readonly store: EndpointStore;
  readonly clock: Clock;
  readonly randomBytes: RandomBytes;
  /** Called when a channel's endpoint was set or removed. Must not throw. */
  readonly publish: (fact: ChannelChanged) => void;
  /** Something may be due now. */
  readonly wake: () => void;
};

/**
 * The use cases of webhook endpoints. Setting one makes a new secret, and the answer is the one moment it may be shown.
 * Empty text removes the endpoint.
 */
export class Callbacks {
  readonly #options: CallbacksOptions;

  constructor(options: CallbacksOptions) {
    this.#options = options;
  }

  /** Undefined once it is removed. */
  async setOfChannel(
    { channelId, name }: Pick<ChannelRecord, "channelId" | "name">,
    url: string,
  ): Promise<Endpoint | undefined> {
    const endpoint = await this.#set({ channelId }, url);
    const time = this.#options.clock.wallNow();
    this.#options.publish({ kind: "channel-changed", change: "callback-changed", time, channelId, channelName: name });
    return endpoint;
  }

  /** Undefined once it is removed. */
  setDefault(url: string): Promise<Endpoint | undefined> {
    return this.#set("default", url);
  }

  /** Undefined where none is set. */
  getDefault(): Promise<Endpoint | undefined> {
    return this.#options.store.findEndpoint("default");
  }

  async #set(scope: EndpointScope, url: string): Promise<Endpoint | undefined> {
    const { store, clock, randomBytes, wake } = this.#options;
    if (url === "") {
      await store.removeEndpoint(scope);
      wake();
      return undefined;
    }
    const secret = `${WEBHOOK_SECRET_PREFIX}${Buffer.from(randomBytes(SECRET_BYTES)).toString("base64")}`;
    const endpoint = { url, secret, updateTime: clock.wallNow() };
    await store.setEndpoint(scope, endpoint);
    wake();
    return endpoint;
  }
}

import type { DeliveryProblem } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { RandomBytes } from "../access/ids.ts";
import type { ChannelRecord } from "../channels/channel.ts";
import type { ChannelChanged } from "../facts/server-fact.ts";

/** What a signing secret begins with, and how many bytes follow in Base64, as in Standard Webhooks. */
export const WEBHOOK_SECRET_PREFIX = "whsec_";
const SECRET_BYTES = 24;

/** Whose events an endpoint gets: those of one channel, or of every channel that has no endpoint of its own. */
export type EndpointScope = { readonly channelId: ChannelId } | "default";

/** A webhook's address. Holds a secret: never log it. Times are milliseconds since the Unix epoch. */
export type Endpoint = {
  readonly url: string;
  /** The secret that signs deliveries, `whsec_…`. */
  readonly secret: string;
  readonly updateTime: number;
  /** When it answered 410 Gone: nothing is sent until it is set again. */
  readonly goneTime?: number;
};

/** The result of a test message to an endpoint. */
export type WebhookTest = {
  readonly url: string;
  readonly durationMs: number;
  /** The HTTP status, or why there was none. */
  readonly status?: number;
  readonly problem?: DeliveryProblem;
};

/** The store of endpoints. Every call may reject with StoreUnavailableError. */
export interface EndpointStore {
  /** Replaces the former endpoint. Deliveries that waited for that one go to this one, at once. */
  setEndpoint(scope: EndpointScope, endpoint: Endpoint): Promise<void>;
  /** Waiting deliveries are cancelled when their turn comes. Does nothing where there is no endpoint. */
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
 * The use cases of webhook endpoints. Setting one makes a new secret, which only this answer shows. Empty text removes
 * the endpoint.
 */
export class Callbacks {
  readonly #options: CallbacksOptions;

  constructor(options: CallbacksOptions) {
    this.#options = options;
  }

  /** Returns undefined once it is removed. */
  async setOfChannel(
    { channelId, name }: Pick<ChannelRecord, "channelId" | "name">,
    url: string,
  ): Promise<Endpoint | undefined> {
    const endpoint = await this.#set({ channelId }, url);
    const time = this.#options.clock.wallNow();
    this.#options.publish({ kind: "channel-changed", change: "callback-changed", time, channelId, channelName: name });
    return endpoint;
  }

  /** Returns undefined once it is removed. */
  setDefault(url: string): Promise<Endpoint | undefined> {
    return this.#set("default", url);
  }

  /** Returns undefined where none is set. */
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

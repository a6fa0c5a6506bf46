import type { Removal } from "../../base/pasted-text.ts";
import type { PublishGateway } from "../../relay/publish-gateway.ts";
import type { PublisherHandle } from "../../relay/publisher/publisher.ts";
import type { MediaMessage } from "../../relay/stream/media-message.ts";
import type { ProvenLogin, RefusedKey } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { IngestEnd } from "../../thread-protocol/facts.ts";
import type { ConnectionRefusal } from "./connection-refusal.ts";

/**
 * The result for a key: a way into its channel, or a refusal. `srtPassphrase`: the channel's own. `RefusedKey`: the key is
 * right, but may not publish.
 */
export type Admission =
  | { readonly gateway: PublishGateway; readonly slot: IngestSlot; readonly srtPassphrase?: string }
  | RefusedKey
  | "refused"
  | "unavailable";

/** May this key publish, with this login? `unavailable`: no verdict in time. Never rejects. */
export type Admit = (key: string, login: ProvenLogin | undefined) => Promise<Admission>;

/** What a protocol's connection does for its publish session. */
export interface PublishConnection {
  readonly remoteAddress: string;
  /** Close without a message: another encoder took over, or the channel is gone. The session is closed already. */
  dismiss(): void;
  /** The gateway has room again: go on reading. */
  resumeReading(): void;
}

/** What an encoder asks for, read by its protocol. `key` is secret. */
export type KeyRequest = {
  readonly key: string;
  /** What was pasted around the key and removed. */
  readonly keyRemoved: readonly Removal[];
  /** The encoder's name for itself. May be empty. */
  readonly encoder: string;
};

/**
 * What the protocol says to the encoder. `refuse`: a person has to change something. `overloaded`: this server takes no new
 * channel now. `unavailable`: no verdict; close without a message, so that the encoder tries again.
 */
export type KeyDecision = "accept" | "refuse" | "overloaded" | "unavailable";

type State =
  | { readonly at: "idle" }
  | { readonly at: "asking" }
  | {
      readonly at: "admitted";
      readonly gateway: PublishGateway;
      readonly slot: IngestSlot;
      readonly srtPassphrase: string | undefined;
      readonly asked: KeyRequest;
    }
  | {
      readonly at: "publishing";
      readonly gateway: PublishGateway;
      readonly slot: IngestSlot;
      readonly publisher: PublisherHandle;
    }
  | { readonly at: "closed" };

const IDLE: State = { at: "idle" };

/**
 * One connection's way to publish, in any protocol: asks for admission, opens the publisher, passes media on, and
 * reports how it ended. The protocol decides when to ask, when to open and what to reply.
 *
 * A connection publishes one stream at a time, and may publish again after `end`.
 */
export class PublishSession {
  readonly #admit: Admit;
  readonly #refusal: ConnectionRefusal;
  readonly #connection: PublishConnection;
  #state: State = IDLE;
  #login: ProvenLogin | undefined;
  /** Why the protocol will close, where an admission said so; reported by `reportRefused`. */
  #reason: "unknown-key" | "encoders-fight" | "auth-failed" | "channel-off" | "overloaded" = "unknown-key";
  #refusedBy: ChannelId | undefined;
  #isDraining = false;

  constructor(admit: Admit, refusal: ConnectionRefusal, connection: PublishConnection) {
    this.#admit = admit;
    this.#refusal = refusal;
    this.#connection = connection;
  }

  get isPublishing(): boolean {
    return this.#state.at === "publishing";
  }

  /** Where media goes while the connection publishes. */
  get gateway(): PublishGateway | undefined {
    return this.#state.at === "publishing" ? this.#state.gateway : undefined;
  }

  /** The channel that was admitted and waits for `open`, and its own passphrase for SRT. */
  get admitted(): { readonly channelId: ChannelId; readonly srtPassphrase: string | undefined } | undefined {
    if (this.#state.at !== "admitted") return undefined;
    const { gateway, srtPassphrase } = this.#state;
    return { channelId: gateway.channelId, srtPassphrase };
  }

  /** Which of the channel's keys it publishes with, while it does. */
  get slot(): IngestSlot | undefined {
    return this.#state.at === "publishing" ? this.#state.slot : undefined;
  }

  /** The last refusal was because two encoders push each other out. */
  get isFight(): boolean {
    return this.#reason === "encoders-fight";
  }

  /** The encoder was asked to connect elsewhere: however it leaves, it leaves because the process stops. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** The encoder proved this login, in its protocol's way. */
  loggedIn(login: ProvenLogin | undefined): void {
    this.#login = login;
  }

  /**
   * Asks whether this key may publish now. A wrong key is reported and counted at the verdict, and the refusal resolves
   * late for an address that tries many. After `accept` call `open`, or `end` where the encoder gave up meanwhile.
   */
  async request(asked: KeyRequest): Promise<KeyDecision> {
    if (this.#state.at !== "idle") return "unavailable";
    this.#state = { at: "asking" };
    const verdict = await this.#admit(asked.key, this.#login);
    const decision =
      typeof verdict === "string" || "refusedFor" in verdict ? verdict : await this.#enter(verdict, asked);
    if (decision !== "accept") this.#settle();
    switch (decision) {
      case "accept":
      case "unavailable":
        return decision;
      case "overloaded":
        this.#reason = "overloaded";
        return decision;
      case "fight":
        this.#reason = "encoders-fight";
        return "refuse";
      default:
        if (decision !== "refused") [this.#reason, this.#refusedBy] = [decision.refusedFor, decision.channelId];
        this.reportRefused();
        await this.#refusal.holdBack();
        return "refuse";
    }
  }

  async #enter(admission: Exclude<Admission, string | RefusedKey>, asked: KeyRequest) {
    const { gateway, slot, srtPassphrase } = admission;
    const result = this.#state.at === "asking" ? await gateway.tryAdmit() : "unavailable";
    if (result === "overloaded" || result === "fight") this.#refusedBy = gateway.channelId;
    if (result === "admitted" && this.#state.at === "asking") {
      this.#state = { at: "admitted", gateway, slot, srtPassphrase, asked };
      return "accept";
    }
    gateway.leave();
    return result === "admitted" ? "unavailable" : result;
  }

  /** The request is over without a publisher; a closed session stays closed. */
  #settle(): void {
    if (this.#state.at === "asking") this.#state = IDLE;
  }

  /** Reports the refusal that `request` decided, once. */
  reportRefused(): void {
    this.#refusal.report(this.#reason, this.#refusedBy === undefined ? {} : { channelId: this.#refusedBy });
  }

  /**
   * Begins to publish, after `accept`. Returns false where the channel was removed meanwhile, or the encoder is gone:
   * close the connection.
   */
  open(): boolean {
    const state = this.#state;
    if (state.at !== "admitted") return false;
    const { gateway, slot, asked } = state;
    const publisher = gateway.open({
      slot,
      remoteAddress: this.#connection.remoteAddress,
      encoder: asked.encoder,
      keyRemoved: asked.keyRemoved,
      onDismissed: () => {
        this.close();
        this.#connection.dismiss();
      },
      onRoom: () => this.#connection.resumeReading(),
    });
    // The relay may dismiss the encoder before `open` returns.
    if (this.#state !== state) {
      publisher?.end("connection-lost");
      return false;
    }
    if (publisher === undefined) {
      this.end("connection-lost");
      return false;
    }
    this.#state = { at: "publishing", gateway, slot, publisher };
    return true;
  }

  /** Passes one message of the stream on. Does nothing unless the session publishes. */
  push(message: MediaMessage): void {
    if (this.#state.at === "publishing") this.#state.publisher.push(message);
  }

  /** The encoder stopped, or its connection is gone. The connection may publish again. Idempotent. */
  end(end: IngestEnd): void {
    const state = this.#state;
    if (state.at === "closed" || state.at === "idle") return;
    if (state.at !== "asking") this.#state = IDLE;
    if (state.at === "publishing") state.publisher.end(this.#isDraining ? "shutdown" : end);
    if (state.at === "admitted") state.gateway.leave();
  }

  /**
   * The process stops. `canMove`: the protocol has asked the encoder to connect again, and it goes on here until it
   * does. Any other publication ends. Returns whether one goes on.
   */
  drain(canMove: boolean): boolean {
    this.#isDraining = canMove && this.isPublishing;
    if (!this.#isDraining) this.end("shutdown");
    return this.#isDraining;
  }

  /** Closes the session without an end to report: the relay dropped it first. Idempotent. */
  close(): void {
    const state = this.#state;
    this.#state = { at: "closed" };
    if (state.at === "admitted") state.gateway.leave();
  }
}

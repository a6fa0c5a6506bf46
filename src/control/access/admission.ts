import type { IngestUser, ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelSpec, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import { channelSpec, slotOf } from "../channels/channel.ts";
import type { Store } from "../ports/store.ts";

/** The channel a key leads to. */
export type Admitted = {
  readonly spec: ChannelSpec;
  readonly slot: IngestSlot;
  /** True: the key is right, but the channel wants a login and this is none, or another; the encoder is refused. */
  readonly isLoginMissing?: boolean;
};

/** Answers the media threads' questions about encoders. Every call may reject with StoreUnavailableError. */
export class Admission {
  readonly #store: Pick<Store, "findChannelByStreamKey" | "findIngestUser">;

  constructor(store: Pick<Store, "findChannelByStreamKey" | "findIngestUser">) {
    this.#store = store;
  }

  /** The channel's spec and which of its keys this is; undefined where the key may not publish. */
  async admit(streamKey: string, login?: ProvenLogin): Promise<Admitted | undefined> {
    const channel = await this.#store.findChannelByStreamKey(streamKey);
    // It was found a moment before it was read: meanwhile it may have been blocked, or given another key.
    const slot = channel?.state === "live" ? slotOf(channel, streamKey) : undefined;
    if (channel === undefined || slot === undefined) return undefined;
    const admitted = { spec: channelSpec(channel), slot };
    return isSameLogin(channel.ingestLogin, login) ? admitted : { ...admitted, isLoginMissing: true };
  }

  /** The user that logs in to an ingest with this name. */
  findIngestUser(userId: string): Promise<IngestUser | undefined> {
    return this.#store.findIngestUser(userId);
  }
}

/** A login that was just proven may have changed since, and one of another channel opens nothing here. */
function isSameLogin(wanted: ProvenLogin | undefined, proven: ProvenLogin | undefined): boolean {
  return wanted?.id === proven?.id && wanted?.password === proven?.password;
}

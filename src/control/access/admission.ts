import type { IngestUser, KeyRefusal, ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId, ChannelSpec, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import { channelSpec, slotOf } from "../channels/channel.ts";
import type { Store } from "../ports/store.ts";

/** The channel of a key. */
export type Admitted = {
  readonly spec: ChannelSpec;
  readonly slot: IngestSlot;
  /** The key is right, but the encoder is refused. Absent: it may publish. */
  readonly refusedFor?: KeyRefusal;
  /** The channel's own passphrase for encoders over SRT. Secret. */
  readonly srtPassphrase?: string;
};

/** Where the keys of channels are. */
export type AdmissionStore = Pick<Store, "findChannelByStreamKey" | "findChannel" | "findIngestUser">;

/** Answers the media threads' requests about encoders. Every call may reject with StoreUnavailableError. */
export class Admission {
  readonly #store: AdmissionStore;

  constructor(store: AdmissionStore) {
    this.#store = store;
  }

  /** Returns the channel's spec and which of its keys this is; undefined where the key may not publish. */
  async admit(streamKey: string, login?: ProvenLogin): Promise<Admitted | undefined> {
    const channel = await this.#store.findChannelByStreamKey(streamKey);
    // Since it was found, the channel may have been deleted or given another key.
    const slot = channel === undefined || channel.state === "deleted" ? undefined : slotOf(channel, streamKey);
    if (channel === undefined || slot === undefined) return undefined;
    const { srtPassphrase } = channel;
    const admitted = { spec: channelSpec(channel), slot, ...(srtPassphrase === undefined ? {} : { srtPassphrase }) };
    if (channel.state === "blocked") return { ...admitted, refusedFor: "channel-off" };
    return isSameLogin(channel.ingestLogin, login) ? admitted : { ...admitted, refusedFor: "auth-failed" };
  }

  /** Returns the spec of a channel to which encoders may publish; undefined where there is none. */
  async readSpec(channelId: ChannelId): Promise<ChannelSpec | undefined> {
    const channel = await this.#store.findChannel(channelId);
    return channel?.state === "live" ? channelSpec(channel) : undefined;
  }

  /** Returns the user who logs in to an ingest with this name. */
  findIngestUser(userId: string): Promise<IngestUser | undefined> {
    return this.#store.findIngestUser(userId);
  }
}

/** The login may have changed since it was proven, and the login of another channel does not count. */
function isSameLogin(wanted: ProvenLogin | undefined, proven: ProvenLogin | undefined): boolean {
  return wanted?.id === proven?.id && wanted?.password === proven?.password;
}

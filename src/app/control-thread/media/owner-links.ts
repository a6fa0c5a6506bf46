import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { LinkDialer } from "../../../node-link/link-dialer.ts";
import { type MessageTransport, portTransport } from "../../../remote-publish/message-transport.ts";
import type { ChannelId, ChannelSpec } from "../../../thread-protocol/channel-spec.ts";
import type { FromViewer, ToViewer } from "../../../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../../../thread-protocol/remote-publish.ts";
import type { PoolWorker } from "../../threads/pool-worker.ts";
import { newTransport } from "../../threads/transport-ends.ts";
import type { Claim } from "./channel-routes.ts";

/** The owner of a channel has this long to take a source, in milliseconds. */
const ATTACH_DEADLINE_MS = 4_000;

export type PublisherTransport = MessageTransport<FromEncoder, ToEncoder>;

/** Transports from this thread into the threads that own channels, in this process or in an earlier one. */
export class OwnerLinks {
  readonly #clock: Clock;
  readonly #log: Log;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** A way to watch a channel. Without an owner the channel is not on air: the transport closes. */
  watch(channelId: ChannelId, owner: PoolWorker | undefined): MessageTransport<FromViewer, ToViewer> {
    const onFault = this.#reporter("a preview failed", channelId);
    if (owner?.linkPath !== undefined) {
      const dialer = new LinkDialer({ clock: this.#clock, onFault });
      return dialer.watch({ path: owner.linkPath }, { what: "player", channelId, epoch: 0 });
    }
    const [ownersEnd, end] = newTransport();
    if (owner === undefined) ownersEnd.close();
    else owner.post({ kind: "host-preview", channelId }, ownersEnd);
    return portTransport<FromViewer, ToViewer>(end, onFault);
  }

  /** A way to publish to a claimed channel; undefined where its owner does not take it. */
  async into(spec: ChannelSpec, claim: Claim): Promise<PublisherTransport | undefined> {
    const { channelId, revision } = spec;
    const onFault = this.#reporter("a source failed", channelId);
    const { worker, epoch } = claim.owner;
    if (worker.linkPath !== undefined) {
      const dialer = new LinkDialer({ clock: this.#clock, onFault });
      const attach = { what: "publisher", channelId, slot: "main", epoch, revision } as const;
      const outcome = await dialer.attach({ path: worker.linkPath }, attach, ATTACH_DEADLINE_MS);
      return outcome.kind === "attached" ? outcome.transport : undefined;
    }
    const [ownersEnd, end] = newTransport();
    claim.admit().post({ kind: "host-publisher", spec, slot: "main" }, ownersEnd);
    return portTransport<FromEncoder, ToEncoder>(end, onFault);
  }

  #reporter(event: string, channelId: ChannelId): (error: unknown) => void {
    return (error) => {
      this.#log.error(event, { channelId, detail: error instanceof Error ? error.message : String(error) });
    };
  }
}

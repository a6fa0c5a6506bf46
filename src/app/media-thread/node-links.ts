import type { Clock } from "../../base/clock.ts";
import { LinkDialer } from "../../node-link/link-dialer.ts";
import type { Attach } from "../../node-link/link-handshake.ts";
import { type IncomingLink, LinkListener } from "../../node-link/link-listener.ts";
import type { Engine } from "../../relay/engine.ts";
import type { MessageTransport } from "../../remote-publish/message-transport.ts";
import type { OwnedChannels } from "../../remote-publish/owned-channels.ts";
import { hostPreview } from "../../remote-publish/remote-preview.ts";
import type { RemotePublisherHost } from "../../remote-publish/remote-publisher-host.ts";
import type { OwnerLink } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { FromViewer, ToViewer } from "../../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../../thread-protocol/remote-publish.ts";
import type { ControlRequests } from "./control-requests.ts";

/** The owner of a channel has this long to reply to an encoder's request, in milliseconds. */
const ATTACH_DEADLINE_MS = 4_000;

export type NodeLinksDeps = {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly hosted: RemotePublisherHost;
  readonly owned: OwnedChannels;
  readonly requests: ControlRequests;
  readonly onFault: (error: unknown) => void;
};

/** This thread's links to threads of other processes: it dials the owners of channels, and takes visitors of its own. */
export class NodeLinks {
  readonly #deps: NodeLinksDeps;
  readonly #dialer: LinkDialer;
  #listener: LinkListener | undefined;

  constructor(deps: NodeLinksDeps) {
    this.#deps = deps;
    this.#dialer = new LinkDialer({ clock: deps.clock, onFault: deps.onFault });
  }

  /** Accepts links at this Unix socket. Rejects with the system's error. */
  async accept(path: string): Promise<void> {
    const { clock, onFault } = this.#deps;
    this.#listener = new LinkListener({
      clock,
      onFault,
      onAttach: (attach, link) => void this.#take(attach, link).catch(onFault),
    });
    await this.#listener.listen({ path });
  }

  /** Brings an encoder to the owner of its channel; undefined where the owner does not take it. Never rejects. */
  async attach(
    channelId: ChannelId,
    slot: IngestSlot,
    { path, epoch, revision }: OwnerLink,
  ): Promise<MessageTransport<FromEncoder, ToEncoder> | undefined> {
    const attach = { what: "publisher", channelId, slot, epoch, revision } as const;
    const outcome = await this.#dialer.attach({ path }, attach, ATTACH_DEADLINE_MS);
    return outcome.kind === "attached" ? outcome.transport : undefined;
  }

  /** Opens a way to watch a channel at its owner. */
  watch(channelId: ChannelId, { path, epoch }: OwnerLink): MessageTransport<FromViewer, ToViewer> {
    return this.#dialer.watch({ path }, { what: "player", channelId, epoch });
  }

  close(): void {
    this.#listener?.close();
  }

  async #take(attach: Attach, link: IncomingLink): Promise<void> {
    const { clock, engine, hosted, owned, requests } = this.#deps;
    if (attach.what === "player") return hostPreview(engine, clock, attach.channelId, link.takePlayer());
    // No spec crosses a link: it comes from the control thread, which may know a newer one than the visitor's process.
    const spec = (await requests.attach(attach.channelId)).reply?.spec;
    if (spec === undefined) return link.notOwner(0);
    owned.admitted(spec);
    hosted.take(spec, attach.slot, link.takePublisher());
  }
}

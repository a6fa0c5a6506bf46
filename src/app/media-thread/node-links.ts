import type { Clock } from "../../base/clock.ts";
import { LinkDialer } from "../../node-link/link-dialer.ts";
import type { Attach, OwnerReply } from "../../node-link/link-handshake.ts";
import { type IncomingLink, LinkListener } from "../../node-link/link-listener.ts";
import type { Engine } from "../../relay/engine.ts";
import type { MessageTransport } from "../../remote-publish/message-transport.ts";
import type { OwnedChannels } from "../../remote-publish/owned-channels.ts";
import { hostPreview } from "../../remote-publish/remote-preview.ts";
import type { RemotePublisherHost } from "../../remote-publish/remote-publisher-host.ts";
import type { OwnerLink, OwnerQuestionReply } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { FromViewer, ToViewer } from "../../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../../thread-protocol/remote-publish.ts";
import { type LinkTls, linkTls } from "../threads/link-tls.ts";
import type { NodeLinkOptions } from "../threads/media-options.ts";
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
  /** Absent: this process is no node of a cluster. */
  readonly node?: NodeLinkOptions;
  /** Another node says that this ownership is over. */
  readonly onRelease: (channelId: ChannelId, epoch: number) => void;
};

/** This thread's links to threads of other processes: it dials the owners of channels, and takes visitors of its own. */
export class NodeLinks {
  readonly #deps: NodeLinksDeps;
  readonly #dialer: LinkDialer;
  readonly #tls: LinkTls | undefined;
  readonly #listeners: LinkListener[] = [];

  constructor(deps: NodeLinksDeps) {
    this.#deps = deps;
    const { clock, onFault, node } = deps;
    this.#tls = node === undefined ? undefined : linkTls(node);
    this.#dialer = new LinkDialer({ clock, onFault, ...(this.#tls === undefined ? {} : { tls: this.#tls }) });
  }

  /** Accepts links of other nodes. Rejects with the system's error. */
  async listen(): Promise<void> {
    const { node } = this.#deps;
    if (node === undefined || this.#tls === undefined) return;
    const { host, port } = node;
    await this.#newListener().listen({
      ...(host === undefined ? {} : { host }),
      ...{ port, secrets: this.#tls.secrets },
    });
  }

  /** Accepts links at this Unix socket. Rejects with the system's error. */
  async accept(path: string): Promise<void> {
    await this.#newListener().listen({ path });
  }

  /** Brings an encoder to the owner of its channel; undefined where the owner does not take it. Never rejects. */
  async attach(
    channelId: ChannelId,
    slot: IngestSlot,
    { place, epoch, revision }: OwnerLink,
  ): Promise<MessageTransport<FromEncoder, ToEncoder> | undefined> {
    const attach = { what: "publisher", channelId, slot, epoch, revision } as const;
    const outcome = await this.#dialer.attach(place, attach, ATTACH_DEADLINE_MS);
    return outcome.kind === "attached" ? outcome.transport : undefined;
  }

  /** Opens a way to watch a channel at its owner. */
  watch(channelId: ChannelId, { place, epoch }: OwnerLink): MessageTransport<FromViewer, ToViewer> {
    return this.#dialer.watch(place, { what: "player", channelId, epoch });
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
  }

  #newListener(): LinkListener {
    const { clock, onFault, onRelease, node } = this.#deps;
    const listener = new LinkListener({
      ...(node === undefined ? {} : { self: node.incarnation }),
      clock,
      onFault,
      onAttach: (attach, link) => void this.#take(attach, link).catch(onFault),
      onRelease: async ({ channelId, epoch }) => onRelease(channelId, epoch),
    });
    this.#listeners.push(listener);
    return listener;
  }

  async #take(attach: Attach, link: IncomingLink): Promise<void> {
    const { clock, engine, hosted, owned, requests, node } = this.#deps;
    if (attach.what === "question") {
      const { channelId, incarnation } = attach;
      if (incarnation !== node?.incarnation) return link.end();
      const { reply } = await requests.ownerQuestion(channelId);
      return reply === undefined ? link.end() : link.owner(ownerReply(reply));
    }
    if (attach.what === "keyframe") return link.keyframe(engine.keyframe(attach.channelId, attach.knownTime));
    if (attach.what === "player") return hostPreview(engine, clock, attach.channelId, link.takePlayer());
    // No spec crosses a link: it comes from the control thread, which may know a newer one than the visitor's process.
    const spec = (await requests.attach(attach.channelId)).reply?.spec;
    if (spec === undefined) return link.notOwner(0);
    owned.admitted(spec);
    hosted.take(spec, attach.slot, link.takePublisher());
  }
}

function ownerReply({ epoch, isOnAir, isDraining }: OwnerQuestionReply): OwnerReply {
  return { ...(epoch === undefined ? {} : { epoch }), isOnAir, isDraining };
}

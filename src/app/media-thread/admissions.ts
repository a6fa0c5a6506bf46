import type { Clock } from "../../base/clock.ts";
import type { Admission } from "../../ingest/publish/publish-session.ts";
import type { FoundUser } from "../../ingest/rtmp/ingest-logins.ts";
import type { PlayPermit } from "../../ingest/rtmp/rtmp-player.ts";
import type { Engine } from "../../relay/engine.ts";
import { openPreviewSession } from "../../relay/preview-session.ts";
import { gatewayTo } from "../../relay/publish-gateway.ts";
import { FailoverGateway, type Way } from "../../remote-publish/failover-gateway.ts";
import type { MessageTransport } from "../../remote-publish/message-transport.ts";
import { openRemotePreview } from "../../remote-publish/remote-preview.ts";
import type { RemotePublishers } from "../../remote-publish/remote-publisher.ts";
import type { LinkSilence, ProvenLogin } from "../../thread-protocol/admission.ts";
import type { ChannelId, IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { FromViewer, ToViewer } from "../../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../../thread-protocol/remote-publish.ts";
import type { ControlRequests } from "./control-requests.ts";
import type { MovesAway } from "./moves-away.ts";
import type { NodeLinks } from "./node-links.ts";
import type { OpenTransport } from "./open-transport.ts";
import type { PlayPermits } from "./play-permits.ts";

export type AdmissionsDeps = {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly requests: Pick<ControlRequests, "admission" | "login" | "play">;
  readonly permits: PlayPermits;
  readonly remote: Pick<RemotePublishers, "to">;
  /** Whether channels that are off air may begin now. */
  readonly takesNew: () => boolean;
  readonly openTransport: OpenTransport;
  readonly links: Pick<NodeLinks, "attach" | "watch">;
  /** Absent: there is no other node. */
  readonly moves?: MovesAway;
  /** The owner of this channel died or gave it away, and an encoder of this thread publishes on. */
  readonly onFailover: (channelId: ChannelId) => void;
  /** The player that this request admitted has left. */
  readonly onPlayLeft: (requestId: number) => void;
};

/**
 * An encoder without a verdict is looked up again for this long, in milliseconds: its channel may be changing its owner. Else it
 * would come again by itself, mostly after two seconds.
 */
const PATIENCE_MS = 2_000;
/** The pause behind the first look-up, and the longest; each is twice as long as the one before. In milliseconds. */
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 400;

/**
 * `epoch`: of the ownership at another node; absent where the way leads to none. `isForNow`: the channel's owner could not be
 * reached, or changed, and that may be over soon.
 */
type Found = { readonly admission: Admission; readonly epoch?: number; readonly isForNow?: boolean };

/** The channel of an encoder that is connected already. `silence`: it has a way to an owner that may be gone. */
type Present = { readonly channelId: ChannelId; readonly silence: LinkSilence | undefined };
const FOR_NOW: Found = { admission: "unavailable", isForNow: true };

/**
 * Admits encoders and players that connect to this thread: the control thread decides, and this carries out the
 * decision.
 */
export class Admissions {
  readonly #deps: AdmissionsDeps;
  /** Encoders of this thread whose channels other nodes may own. */
  readonly #passed = new Set<{ readonly slot: IngestSlot; readonly gateway: FailoverGateway }>();

  constructor(deps: AdmissionsDeps) {
    this.#deps = deps;
  }

  /**
   * Asks whether this key may publish. Returns the way into the channel, in this thread or in another. Never rejects.
   */
  async admit(key: string, login: ProvenLogin | undefined): Promise<Admission> {
    const { clock, moves, onFailover } = this.#deps;
    const found = await this.#admitPatiently(key, login);
    const { admission } = found;
    const first = wayOf(found);
    if (moves === undefined || typeof admission !== "object" || !("slot" in admission)) return admission;
    if (first === undefined) return admission;
    const { channelId } = first.gateway;
    const passed = {
      slot: admission.slot,
      gateway: new FailoverGateway(first, {
        clock,
        again: async (silence) => wayOf(await this.#admitOnce(key, login, { channelId, silence })),
        areMovesExpected: () => moves.areExpected,
        isMoving: () => moves.isMoving(channelId),
        onFailover: () => onFailover(channelId),
        onOver: () => this.#passed.delete(passed),
      }),
    };
    this.#passed.add(passed);
    return { ...admission, gateway: passed.gateway };
  }

  /** The key with which encoders came to this slot is none any more: those that this thread passes on to another node must go. */
  revoke(channelId: ChannelId, slot: IngestSlot): void {
    for (const { slot: passed, gateway } of [...this.#passed])
      if (passed === slot && gateway.channelId === channelId) gateway.revoke();
  }

  async #admitPatiently(key: string, login: ProvenLogin | undefined): Promise<Found> {
    const { clock, moves } = this.#deps;
    const untilMs = clock.awakeNow() + (moves === undefined ? 0 : PATIENCE_MS);
    for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(PAUSE_MS_MAX, 2 * pauseMs)) {
      const found = await this.#admitOnce(key, login);
      if (found.isForNow !== true || clock.awakeNow() + pauseMs > untilMs) return found;
      await new Promise<void>((resolve) => clock.startTimer(pauseMs, resolve));
    }
  }

  /** With `silence` the encoder has a way to that ownership at another node, and takes no second one. */
  async #admitOnce(key: string, login: ProvenLogin | undefined, present?: Present): Promise<Found> {
    const { engine, requests, remote, takesNew, openTransport, links } = this.#deps;
    const { reply, end } = await requests.admission(key, login, present);
    switch (reply?.decision) {
      case undefined:
        return { admission: "unavailable" };
      case "try-again":
        return FOR_NOW;
      case "admit": {
        // An encoder that is connected already costs this thread little more than before. One that comes back because its
        // server was lost has a broadcast on air: that goes before new ones.
        const isNew = present === undefined && reply.isReturning !== true;
        const gateway = gatewayTo(engine, reply.spec, reply.slot, isNew ? takesNew : () => true);
        return { admission: { ...secretOf(reply), gateway, slot: reply.slot } };
      }
      case "admit-elsewhere": {
        const { channelId, slot, link } = reply;
        const isHere = link === undefined;
        const silentEpoch = present?.silence?.epoch;
        if (silentEpoch !== undefined && link?.epoch === silentEpoch) return { admission: "unavailable" };
        const transport = isHere
          ? openTransport<FromEncoder, ToEncoder>(end)
          : await links.attach(channelId, slot, link);
        if (transport === undefined) return FOR_NOW;
        const gateway = remote.to(reply, transport);
        const isOtherNode = link !== undefined && "host" in link.place;
        return {
          admission: { ...secretOf(reply), gateway, slot },
          ...(isOtherNode ? { epoch: link.epoch } : {}),
        };
      }
      case "refuse":
        return { admission: reply.refused ?? "refused" };
    }
  }

  /** Asks for the user who logs in with this name. */
  async findUser(userId: string, challenge: string | undefined): Promise<FoundUser | "unavailable"> {
    return (await this.#deps.requests.login(userId, challenge)).reply ?? "unavailable";
  }

  /** Asks whether the holder of this token may watch the channel. */
  async permitPlayer(channelId: string, token: string): Promise<PlayPermit> {
    const { clock, engine, requests, permits, openTransport, links, onPlayLeft } = this.#deps;
    const { requestId, reply, end } = await requests.play(channelId, token);
    const leave = () => onPlayLeft(requestId);
    // A late reply may still take a place: free it.
    if (reply === undefined) leave();
    if (reply?.decision !== "admit") return reply?.decision ?? "unavailable";
    const { link } = reply;
    if (link !== undefined)
      return permits.give(requestId, this.#remotePermit(links.watch(reply.channelId, link), leave));
    if (end !== undefined) return permits.give(requestId, this.#remotePermit(openTransport(end), leave));
    return permits.give(requestId, {
      leave,
      show: async (streamId, sink) =>
        openPreviewSession(engine, clock, { channelId: reply.channelId, format: { kind: "rtmp", streamId } }, sink),
    });
  }

  #remotePermit(transport: MessageTransport<FromViewer, ToViewer>, onLeft: () => void): Exclude<PlayPermit, string> {
    const { clock } = this.#deps;
    return {
      show: async (streamId, sink) => {
        const preview = openRemotePreview(transport, clock, { kind: "rtmp", streamId }, sink);
        return (await preview.started) ? preview : undefined;
      },
      leave: () => {
        transport.close();
        onLeft();
      },
    };
  }
}

function wayOf({ admission, epoch }: Found): Way | undefined {
  if (typeof admission !== "object" || !("gateway" in admission)) return undefined;
  return { gateway: admission.gateway, ...(epoch === undefined ? {} : { epoch }) };
}

function secretOf({ srtPassphrase }: { readonly srtPassphrase?: string }): { readonly srtPassphrase?: string } {
  return srtPassphrase === undefined ? {} : { srtPassphrase };
}

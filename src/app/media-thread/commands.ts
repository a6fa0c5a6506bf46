import type { Clock } from "../../base/clock.ts";
import { unreachable } from "../../base/unreachable.ts";
import type { RtmpDialer } from "../../egress/dialer.ts";
import { preflight } from "../../egress/preflight.ts";
import type { RtmpListener } from "../../ingest/rtmp/rtmp-listener.ts";
import type { Engine } from "../../relay/engine.ts";
import type { OwnedChannels } from "../../remote-publish/owned-channels.ts";
import { hostPreview } from "../../remote-publish/remote-preview.ts";
import type { RemotePublisherHost } from "../../remote-publish/remote-publisher-host.ts";
import type { ChannelId, IngestSlot, TargetSpec } from "../../thread-protocol/channel-spec.ts";
import type { ControlRequest, MediaReply, ShutdownMode, ToMedia } from "../../thread-protocol/messages.ts";
import type { FromViewer, ToViewer } from "../../thread-protocol/preview.ts";
import type { FromRecorded, ToRecorded } from "../../thread-protocol/recordings/recorder-messages.ts";
import type { FromEncoder, ToEncoder } from "../../thread-protocol/remote-publish.ts";
import type { Envelope } from "../threads/transport-ends.ts";
import type { Admissions } from "./admissions.ts";
import type { ControlRequests } from "./control-requests.ts";
import type { MovesAway } from "./moves-away.ts";
import type { NodeLinks } from "./node-links.ts";
import type { OpenTransport } from "./open-transport.ts";
import type { PlayPermits } from "./play-permits.ts";
import type { RecorderClient } from "./recorder-client.ts";
import type { TestPatterns } from "./test-patterns.ts";

export type CommandsDeps = {
  readonly clock: Clock;
  readonly engine: Engine;
  readonly hosted: RemotePublisherHost;
  readonly owned: OwnedChannels;
  readonly links: Pick<NodeLinks, "accept">;
  readonly requests: ControlRequests;
  readonly permits: PlayPermits;
  readonly listener: RtmpListener;
  readonly dialer: RtmpDialer;
  readonly testPatterns: TestPatterns;
  readonly recorder: RecorderClient;
  readonly moves: MovesAway;
  readonly admissions: Pick<Admissions, "revoke">;
  readonly openTransport: OpenTransport;
  /** Posts a reply to a request of the control thread. Buffers in `transferred` are moved, not copied. */
  readonly reply: (requestId: number, reply: MediaReply, transferred?: readonly ArrayBuffer[]) => void;
  /** A port of this server: no target may lead to it. */
  readonly onOwnPort: (port: number) => void;
  readonly onDrain: () => void;
  readonly onShutdown: (mode: ShutdownMode) => void;
};

/** Carries out what the control thread posts to this thread. */
export class Commands {
  readonly #deps: CommandsDeps;

  constructor(deps: CommandsDeps) {
    this.#deps = deps;
  }

  take({ message, end }: Envelope<ToMedia>): void {
    const { clock, engine, hosted, owned, requests, permits, listener, testPatterns, openTransport } = this.#deps;
    switch (message.kind) {
      case "channel":
        engine.apply(message.spec);
        return hosted.changed(message.spec.channelId);
      case "channel-removed":
        return this.#remove(message.channelId);
      case "request":
        return this.#request(message.requestId, message.request);
      case "reply":
        if (message.reply.kind === "admission" && message.reply.decision === "admit")
          owned.admitted(message.reply.spec);
        return requests.reply(message.requestId, message.reply, end);
      case "host-publisher":
        owned.admitted(message.spec);
        return hosted.take(message.spec, message.slot, openTransport<ToEncoder, FromEncoder>(end));
      case "host-preview":
        return hostPreview(engine, clock, message.channelId, openTransport<ToViewer, FromViewer>(end));
      case "revoke-play":
        return permits.revoke(message.requestId);
      case "end":
        hosted.dismissWaiting(message.channelId);
        return engine.end(message.channelId);
      case "hold":
        return engine.changeHold(message.channelId, message.how);
      case "slate":
        return engine.setSlate(message.channelId, message.flv === undefined ? undefined : Buffer.from(message.flv));
      case "curtain":
        return engine.setCurtain(message.channelId, message.isClosed);
      case "disconnect-publisher":
        return this.#disconnectPublisher(message.channelId, message.slot);
      case "retry-target":
        return engine.retryTarget(message.channelId, message.targetId);
      case "cut-delay":
        return engine.cutDelay(message.channelId, message.targetId);
      case "target-switch":
        return engine.switchTarget(message);
      case "stop-test-pattern":
        return testPatterns.stop(message.channelId);
      case "certificate":
        return listener.setCertificate(message.pair);
      case "recorder":
        return this.#deps.recorder.connect(openTransport<FromRecorded, ToRecorded>(end));
      case "own-port":
        return this.#deps.onOwnPort(message.port);
      case "fenced":
        return this.#leave(message.channelId, message.isMoved);
      case "expect-moves":
        this.#deps.moves.areExpected = message.isExpected;
        return;
      case "sending":
        return engine.letSend(message.isAllowed);
      case "stop-accepting":
        owned.handOver();
        this.#deps.recorder.handOver();
        return listener.stopAccepting();
      case "drain":
        return this.#deps.onDrain();
      case "shutdown":
        return this.#deps.onShutdown(message.mode);
      default:
        return unreachable(message);
    }
  }

  #request(requestId: number, request: ControlRequest): void {
    const { engine, owned, links, testPatterns, reply } = this.#deps;
    switch (request.kind) {
      case "preflight":
        void this.#testTarget(requestId, request.target);
        return;
      case "test-pattern":
        owned.admitted(request.spec);
        return reply(requestId, { kind: "test-pattern", result: testPatterns.start(request) });
      case "keyframe": {
        const keyframe = engine.keyframe(request.channelId, request.knownTime);
        const transferred = keyframe.found === "keyframe" ? [keyframe.bytes.buffer] : [];
        return reply(requestId, { kind: "keyframe", keyframe }, transferred);
      }
      case "accept-links":
        links.accept(request.path).then(
          () => reply(requestId, { kind: "accept-links" }),
          (error: unknown) => reply(requestId, { kind: "accept-links", problem: String(error) }),
        );
        return;
      default:
        return unreachable(request);
    }
  }

  #leave(channelId: ChannelId, isMoved: boolean): void {
    const { engine, hosted, owned, moves } = this.#deps;
    owned.removed(channelId);
    if (!isMoved) return engine.leave(channelId);
    hosted.letGo(channelId);
    moves.during(channelId, () => engine.leave(channelId));
  }

  #remove(channelId: ChannelId): void {
    const { engine, hosted, owned } = this.#deps;
    hosted.dismissWaiting(channelId);
    owned.removed(channelId);
    engine.remove(channelId);
  }

  /**
   * First reads what the encoder has sent: if it has just stopped cleanly, the broadcast ends and the targets are not
   * held.
   */
  #disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void {
    const { engine, hosted, listener, admissions } = this.#deps;
    const { lastIngestId } = engine;
    admissions.revoke(channelId, slot);
    hosted.dismissWaiting(channelId, slot);
    listener.afterReads(() => {
      hosted.afterReads(channelId, slot, () => engine.disconnectPublisher(channelId, slot, lastIngestId));
    });
  }

  async #testTarget(requestId: number, target: TargetSpec): Promise<void> {
    const { clock, dialer, reply } = this.#deps;
    reply(requestId, { kind: "preflight", result: await preflight(target, dialer, clock) });
  }
}

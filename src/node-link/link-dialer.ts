import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { systemCode } from "../base/system-errors.ts";
import type { MessageTransport } from "../remote-publish/message-transport.ts";
import type { Keyframe } from "../thread-protocol/keyframe.ts";
import type { FromViewer, ToViewer } from "../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../thread-protocol/remote-publish.ts";
import { type Frame, LinkError } from "./frames.ts";
import { readKeyframe } from "./keyframe-frame.ts";
import { EncoderSideCodec, ViewerSideCodec, words } from "./link-codec.ts";
import { LinkConnection } from "./link-connection.ts";
import {
  type Attach,
  LINK_VERSIONS,
  type Move,
  type OwnerReply,
  type Release,
  readEpoch,
  readHello,
  readMove,
  readOwner,
} from "./link-handshake.ts";
import { clientTls, type LinkSecrets } from "./link-secret.ts";
import { socketPath } from "./socket-path.ts";
import { socketTransport } from "./socket-transport.ts";

/** Where another node, or another process of this machine, accepts links. */
export type LinkAddress = { readonly path: string } | { readonly host: string; readonly port: number };

/**
 * Why a link gives no answer: nobody listens there, nothing came in time, the peer broke off, or a newer process than the one
 * that a question names accepts links there.
 */
export type LinkFailure = { readonly kind: "refused" | "silent" | "broken" | "replaced" };

/** `attached`: the owner tells over this transport whether the encoder may publish. */
export type AttachOutcome =
  | { readonly kind: "attached"; readonly transport: MessageTransport<FromEncoder, ToEncoder> }
  | ({ readonly kind: "move" } & Move)
  | { readonly kind: "not-owner"; readonly epoch: number }
  | LinkFailure;

export type LinkDialerDeps = {
  readonly clock: Clock;
  readonly onFault: (error: unknown) => void;
  /** Absent: Unix sockets only. */
  readonly tls?: { readonly secrets: LinkSecrets; readonly incarnation: string };
};

/** Dials the nodes that own the channels of visitors. */
export class LinkDialer {
  readonly #deps: LinkDialerDeps;

  constructor(deps: LinkDialerDeps) {
    this.#deps = deps;
  }

  /** Brings an encoder to the owner of its channel. Never rejects. `deadlineMs`: from the dial to the owner's reply. */
  async attach(
    address: LinkAddress,
    attach: Extract<Attach, { what: "publisher" }>,
    deadlineMs: number,
  ): Promise<AttachOutcome> {
    const outcome = await this.#ask(address, "attach", attach, deadlineMs);
    if (!("link" in outcome)) return outcome;
    const { link, frame } = outcome;
    try {
      switch (frame.kind) {
        case "welcome":
        case "fight":
          return { kind: "attached", transport: socketTransport(link, new EncoderSideCodec()) };
        case "move":
          link.close();
          return { kind: "move", ...readMove(frame) };
        case "not-owner":
          link.close();
          return { kind: "not-owner", epoch: readEpoch(frame) };
        default:
          throw new LinkError(`a frame of the kind ${frame.kind} as the reply to attach`);
      }
    } catch (error) {
      this.#deps.onFault(error);
      link.close();
      return { kind: "broken" };
    }
  }

  /**
   * Asks the process that should own a channel. Never rejects. `broken`: it is ending, or it is another process of an older
   * version, or one with another secret.
   */
  async question(
    address: LinkAddress,
    question: Extract<Attach, { what: "question" }>,
    deadlineMs: number,
  ): Promise<({ readonly kind: "owner" } & OwnerReply) | LinkFailure> {
    const outcome = await this.#ask(address, "attach", question, deadlineMs);
    if (!("link" in outcome)) return outcome;
    outcome.link.close();
    try {
      return outcome.frame.kind === "owner" ? { kind: "owner", ...readOwner(outcome.frame) } : { kind: "broken" };
    } catch (error) {
      this.#deps.onFault(error);
      return { kind: "broken" };
    }
  }

  /** Reads the channel's last keyframe at its owner; undefined where that one does not answer in time. Never rejects. */
  async keyframe(
    address: LinkAddress,
    attach: Extract<Attach, { what: "keyframe" }>,
    deadlineMs: number,
  ): Promise<Keyframe | undefined> {
    const outcome = await this.#ask(address, "attach", attach, deadlineMs);
    if (!("link" in outcome)) return undefined;
    outcome.link.close();
    try {
      return readKeyframe(outcome.frame);
    } catch (error) {
      this.#deps.onFault(error);
      return undefined;
    }
  }

  /** Opens a way to watch a channel. The transport closes where nobody shows it. */
  watch(address: LinkAddress, attach: Extract<Attach, { what: "player" }>): MessageTransport<FromViewer, ToViewer> {
    const link = this.#open(address);
    greet(link);
    link.send("attach", words(attach));
    const codec = new ViewerSideCodec();
    const over = socketTransport(link, codec);
    return {
      ...over,
      listen: (onMessage, onClosed) => {
        let isGreeted = false;
        link.listen({
          onFrame: (frame) => {
            if (isGreeted) return onMessage(codec.decode(frame));
            readHello(frame);
            isGreeted = true;
          },
          onClosed,
        });
      },
    };
  }

  /** Tells a node that its ownership is over. `released`: its links are cut. Never rejects. */
  async release(
    address: LinkAddress,
    release: Release,
    deadlineMs: number,
  ): Promise<{ readonly kind: "released" } | LinkFailure> {
    const outcome = await this.#ask(address, "release", release, deadlineMs);
    if (!("link" in outcome)) return outcome;
    outcome.link.close();
    return { kind: outcome.frame.kind === "released" ? "released" : "broken" };
  }

  /** Sends a request behind the greeting and waits for the first frame that replies to it; the link is paused then. */
  #ask(
    address: LinkAddress,
    kind: "attach" | "release",
    request: Attach | Release,
    deadlineMs: number,
  ): Promise<{ readonly link: LinkConnection; readonly frame: Frame } | LinkFailure> {
    return new Promise((resolve) => {
      let failure: LinkFailure["kind"] = "broken";
      const link = this.#open(address, (error) => {
        if (isRefusal(error)) failure = "refused";
      });
      const deadline = startDeadline(this.#deps.clock, deadlineMs, () => {
        link.close();
        resolve({ kind: "silent" });
      });
      let isGreeted = false;
      link.listen({
        onFrame: (frame) => {
          if (!isGreeted) {
            isGreeted = true;
            const { incarnation = 0 } = readHello(frame);
            if (!("what" in request) || request.what !== "question" || incarnation <= request.incarnation) return;
            deadline.cancel();
            link.close();
            return resolve({ kind: "replaced" });
          }
          deadline.cancel();
          link.pause(frame);
          resolve({ link, frame });
        },
        onClosed: () => {
          deadline.cancel();
          resolve({ kind: failure });
        },
      });
      greet(link);
      link.send(kind, words(request));
    });
  }

  #open(address: LinkAddress, onError: (error: Error) => void = () => undefined): LinkConnection {
    const { clock, onFault } = this.#deps;
    const socket = this.#socketTo(address);
    socket.once("error", onError);
    return new LinkConnection(socket, clock, onFault);
  }

  #socketTo(address: LinkAddress): Socket {
    if ("path" in address) return connect(socketPath(address.path));
    const { tls } = this.#deps;
    if (tls === undefined) throw new Error("a link over TCP needs the cluster's secret");
    return connectTls({ host: address.host, port: address.port, ...clientTls(tls.secrets, tls.incarnation) });
  }
}

function greet(link: LinkConnection): void {
  link.send("hello", words({ versions: LINK_VERSIONS }));
}

/** Nobody listens there: the process is gone, at once and for certain. */
function isRefusal(error: Error): boolean {
  const code = systemCode(error);
  return code === "ECONNREFUSED" || code === "ENOENT";
}

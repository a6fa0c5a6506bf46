import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { systemCode } from "../base/system-errors.ts";
import type { MessageTransport } from "../remote-publish/message-transport.ts";
import type { Keyframe } from "../thread-protocol/keyframe.ts";
import type { FromViewer, ToViewer } from "../thread-protocol/preview.ts";
import type { FromEncoder, ToEncoder } from "../thread-protocol/remote-publish.ts";
import { type Frame, LinkError } from "./frames.ts";
import { keyframeBody } from "./keyframe-frame.ts";
import { OwnerSideCodec, PreviewSideCodec, words } from "./link-codec.ts";
import { LinkConnection } from "./link-connection.ts";
import {
  type Attach,
  LINK_VERSIONS,
  type Move,
  type OwnerReply,
  type Release,
  readAttach,
  readHello,
  readRelease,
} from "./link-handshake.ts";
import { type LinkSecrets, serverTls } from "./link-secret.ts";
import { socketPath } from "./socket-path.ts";
import { socketTransport } from "./socket-transport.ts";

/** A peer has this long from its connection to its request, in milliseconds. */
const REQUEST_DEADLINE_MS = 5_000;
/** Links of one thread: as many as a server has encoders by default. */
const LINKS_MAX = 4_096;

/** `path`: a Unix socket, protected by the mode of its folder. Otherwise TLS with the cluster's secret. */
export type LinkListenAddress =
  | { readonly path: string }
  | { readonly host?: string; readonly port: number; readonly secrets: LinkSecrets };

/** A visitor that another node relays. Answer it once. */
export interface IncomingLink {
  /** The number of the peer's start; empty on a Unix socket. */
  readonly incarnation: string;
  /** Takes an encoder: `RemotePublisherHost` tells it over this transport whether it may publish. */
  takePublisher(): MessageTransport<ToEncoder, FromEncoder>;
  /** Shows the channel to a player. */
  takePlayer(): MessageTransport<ToViewer, FromViewer>;
  /** This node does not own the channel, or not with this epoch. `epoch`: what it knows; 0: nothing. */
  notOwner(epoch: number): void;
  /** Gives the channel's last keyframe. */
  keyframe(keyframe: Keyframe): void;
  /** Answers a question. */
  owner(reply: OwnerReply): void;
  /** Ends the link without a word: the one that was asked has ended. */
  end(): void;
  /** The channel goes to the asking node. */
  move(move: Move): void;
}

export type LinkListenerDeps = {
  readonly clock: Clock;
  readonly onAttach: (attach: Attach, link: IncomingLink) => void;
  /** A node claimed the channel: resolves when its links are cut here and its counters stored. Absent: refused. */
  readonly onRelease?: (release: Release) => Promise<void>;
  /** This process, for peers that ask whether an older one still runs at this address. Absent: it does not say. */
  readonly self?: number;
  /** Mistakes of peers, and errors of what handles them. */
  readonly onFault: (error: unknown) => void;
  readonly linksMax?: number;
};

/** How a connection ends that nobody uses. */
const LEFT: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT", "ERR_TLS_HANDSHAKE_TIMEOUT"]);

/** Accepts links from other nodes, or from another process of this machine. */
export class LinkListener {
  readonly #deps: LinkListenerDeps;
  readonly #links = new Set<LinkConnection>();
  readonly #incarnations = new WeakMap<object, string>();
  #server: Server | undefined;

  constructor(deps: LinkListenerDeps) {
    this.#deps = deps;
  }

  /** Listens. Returns the port; 0 for a Unix socket. Rejects with the system's error. */
  listen(address: LinkListenAddress): Promise<number> {
    const server = this.#serverFor(address);
    server.maxConnections = this.#deps.linksMax ?? LINKS_MAX;
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in address ? { path: socketPath(address.path) } : listenOptions(address), () => {
        server.off("error", reject);
        server.on("error", this.#deps.onFault);
        const bound = server.address();
        resolve(bound !== null && typeof bound === "object" ? bound.port : 0);
      });
    });
  }

  /** Stops accepting, and ends every link. Idempotent. */
  close(): void {
    this.#server?.close();
    for (const link of this.#links) link.close();
  }

  #serverFor(address: LinkListenAddress): Server {
    if ("path" in address) return createServer((socket) => this.#accept(socket));
    const options = serverTls(address.secrets, (socket, incarnation) => this.#incarnations.set(socket, incarnation));
    const server = createTlsServer({ ...options, handshakeTimeout: REQUEST_DEADLINE_MS }, (socket) =>
      this.#accept(socket),
    );
    server.on("tlsClientError", (error, socket) => {
      socket.destroy();
      // It left, or said nothing: other nodes connect so to see whether this host is there.
      if (LEFT.has(systemCode(error) ?? "")) return;
      this.#deps.onFault(new LinkError(`a connection that does not know the cluster's secret: ${error.message}`));
    });
    return server;
  }

  #accept(socket: Socket): void {
    const { clock, onFault } = this.#deps;
    const link = new LinkConnection(socket, clock, onFault);
    this.#links.add(link);
    socket.once("close", () => this.#links.delete(link));
    const deadline = startDeadline(clock, REQUEST_DEADLINE_MS, () => link.close());
    let isGreeted = false;
    link.listen({
      onFrame: (frame) => {
        if (isGreeted) {
          deadline.cancel();
          return this.#request(frame, link, this.#incarnations.get(socket) ?? "");
        }
        readHello(frame);
        isGreeted = true;
        link.send("hello", words({ versions: LINK_VERSIONS, ...this.#self() }));
      },
      onClosed: () => deadline.cancel(),
    });
  }

  #self(): { readonly incarnation?: number } {
    const { self } = this.#deps;
    return self === undefined ? {} : { incarnation: self };
  }

  #request(frame: Frame, link: LinkConnection, incarnation: string): void {
    const { onAttach, onRelease, onFault } = this.#deps;
    if (frame.kind === "attach") {
      link.pause();
      return onAttach(readAttach(frame), incomingLink(link, incarnation));
    }
    if (frame.kind !== "release" || onRelease === undefined) {
      throw new LinkError(`a frame of the kind ${frame.kind} instead of a request`);
    }
    onRelease(readRelease(frame)).then(
      () => {
        link.send("released");
        link.close();
      },
      (error: unknown) => {
        onFault(error);
        link.close();
      },
    );
  }
}

/** A kernel whose queue is full accepts nothing, and a host that accepts nothing counts as gone. */
function listenOptions({ host, port }: { readonly host?: string; readonly port: number }) {
  return { port, backlog: LINKS_MAX, ...(host === undefined ? {} : { host }) };
}

function incomingLink(link: LinkConnection, incarnation: string): IncomingLink {
  return {
    incarnation,
    takePublisher: () => socketTransport(link, new OwnerSideCodec()),
    takePlayer: () => socketTransport(link, new PreviewSideCodec()),
    notOwner: (epoch) => {
      link.send("not-owner", words({ epoch }));
      link.close();
    },
    keyframe: (keyframe) => {
      link.send("keyframe", ...keyframeBody(keyframe));
      link.close();
    },
    owner: (reply) => {
      link.send("owner", words(reply));
      link.close();
    },
    end: () => link.close(),
    move: (move) => {
      link.send("move", words(move));
      link.close();
    },
  };
}

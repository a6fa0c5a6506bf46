import type { LoginDemand } from "../server/publish-auth.ts";

/** Where and as what to publish. `name` is the stream key: a secret, sent byte for byte. */
export type ClientPublication = {
  readonly app: string;
  readonly tcUrl: string;
  readonly name: string;
  /** What a login adds to `app` and `tcUrl`, from `LoginDialogue`. */
  readonly loginQuery?: string;
  /** Bits of `capsEx` that are not to be announced. */
  readonly capsLacking?: number;
};

/** Where the dialogue stands: each stage has a deadline of its own, held by whoever owns the socket. */
export type ClientStage = "handshake" | "connect" | "publish" | "publishing" | "closed";

/** How a server said no, or broke off. `code` is its `NetConnection.…` / `NetStream.…` word; never its free text. */
export type ClientFailure =
  | { readonly kind: "connect-rejected"; readonly code: string; readonly why?: "full" | "forbidden" }
  /** It lets nobody in itself, and sends us to another server: absolute, or relative to the present one. */
  | { readonly kind: "redirected"; readonly code: string; readonly tcUrl: string }
  /** It wants a user name and password, on a connection of their own, or did not like ours. */
  | { readonly kind: "login-demanded"; readonly code: string; readonly demand: LoginDemand }
  /** `isInUse`: it said that somebody publishes with this key already. */
  | { readonly kind: "publish-rejected"; readonly code: string; readonly isInUse: boolean }
  /** It gave our stream no number, or one that cannot be written into a message. */
  | { readonly kind: "bad-stream-number" }
  /** It hung up by a message, or had trouble with a running publication: no verdict about address or key. */
  | { readonly kind: "ended-by-server"; readonly code: string }
  /** It sends more than there is to be said to somebody who publishes. */
  | { readonly kind: "flooded" }
  | { readonly kind: "protocol-error"; readonly during: ClientStage; readonly detail: string };

export type ClientOutput =
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** `NetStream.Publish.Start` came: media may be sent on this message stream. */
  | { readonly kind: "publishing"; readonly streamId: number }
  /** It wants us to connect again, soon: elsewhere where it names an address, absolute or relative to the present one. */
  | { readonly kind: "reconnect-requested"; readonly tcUrl?: string }
  /** The server's running total of bytes it received, modulo 2³². */
  | { readonly kind: "acknowledged"; readonly bytesTotal: number }
  /** Last output: close the connection. */
  | { readonly kind: "failed"; readonly failure: ClientFailure };

import type { LoginDemand } from "../server/publish-auth.ts";

/** Where to publish, and under which name. `name` is the stream key: a secret, sent byte for byte. */
export type ClientPublication = {
  readonly app: string;
  readonly tcUrl: string;
  readonly name: string;
  /** What a login adds to `app` and `tcUrl`, from `LoginDialogue`. */
  readonly loginQuery?: string;
  /** Bits of `capsEx` that are not announced. */
  readonly capsLacking?: number;
};

/** The stage of the dialogue. The owner of the socket enforces a deadline for each stage. */
export type ClientStage = "handshake" | "connect" | "publish" | "publishing" | "closed";

/**
 * How a server refused, or broke the dialogue off. `code` is its `NetConnection.…` / `NetStream.…` code, never its free
 * text.
 */
export type ClientFailure =
  | { readonly kind: "connect-rejected"; readonly code: string; readonly why?: "full" | "forbidden" }
  /** It redirects us to another server: absolute, or relative to the present one. */
  | { readonly kind: "redirected"; readonly code: string; readonly tcUrl: string }
  /** It requires a username and password, each step on a connection of its own, or refused ours. */
  | { readonly kind: "login-demanded"; readonly code: string; readonly demand: LoginDemand }
  /** `isInUse`: it said that another encoder publishes with this key. */
  | { readonly kind: "publish-rejected"; readonly code: string; readonly isInUse: boolean }
  /** It gave our stream no number, or one that does not fit a message. */
  | { readonly kind: "bad-stream-number" }
  /**
   * It ended the connection by a message, or had trouble with a running publication: this says nothing about address or
   * key. `isInUse`: it said that another encoder publishes with this key.
   */
  | { readonly kind: "ended-by-server"; readonly code: string; readonly isInUse?: true }
  /** It sends more than a publisher needs to know. */
  | { readonly kind: "flooded" }
  /** `expectsTls`: it replied to our handshake with an alert of TLS. */
  | {
      readonly kind: "protocol-error";
      readonly during: ClientStage;
      readonly detail: string;
      readonly expectsTls?: true;
    };

export type ClientOutput =
  | { readonly kind: "send"; readonly bytes: Buffer }
  /** `NetStream.Publish.Start` came: media may be sent on this message stream. */
  | { readonly kind: "publishing"; readonly streamId: number }
  /**
   * It asks us to connect again, soon: elsewhere where it names an address, absolute or relative to the present one.
   */
  | { readonly kind: "reconnect-requested"; readonly tcUrl?: string }
  /** The server's running total of bytes it received, modulo 2³². */
  | { readonly kind: "acknowledged"; readonly bytesTotal: number }
  /** Last output: close the connection. */
  | { readonly kind: "failed"; readonly failure: ClientFailure };

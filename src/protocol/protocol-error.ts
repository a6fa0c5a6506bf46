/** What a peer did wrong, as a word of a closed list: for logs, counters and tests. */
export type ProtocolFault =
  | "bad-version"
  /** What came is TLS. */
  | "expects-tls"
  | "bad-chunk-size"
  | "no-previous-header"
  | "header-changed"
  | "message-too-long"
  | "too-many-partial-messages"
  | "too-many-messages"
  | "bad-amf"
  | "unexpected-command";

/** The peer broke the protocol: close the connection. Everything read before stays valid. */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly fault: ProtocolFault;
  constructor(fault: ProtocolFault, detail: string, options?: ErrorOptions) {
    super(`${fault}: ${detail}`, options);
    this.fault = fault;
  }
}

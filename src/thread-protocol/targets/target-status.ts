/** Why a target is not taking media: the closed list of the API's `lastError.code`. */
export const TargetErrorCode = {
  DnsFailed: "DNS_FAILED",
  TcpRefused: "TCP_REFUSED",
  TcpTimeout: "TCP_TIMEOUT",
  TcpReset: "TCP_RESET",
  TlsFailed: "TLS_FAILED",
  HandshakeFailed: "HANDSHAKE_FAILED",
  ConnectRejected: "CONNECT_REJECTED",
  AuthFailed: "AUTH_FAILED",
  PublishRejected: "PUBLISH_REJECTED",
  StreamKeyInUse: "STREAM_KEY_IN_USE",
  RemoteClosed: "REMOTE_CLOSED",
  Stalled: "STALLED",
  TargetForbidden: "TARGET_FORBIDDEN",
  CodecUnsupported: "CODEC_UNSUPPORTED",
  ServerTrouble: "SERVER_TROUBLE",
  NodeLost: "NODE_LOST",
} as const;
export type TargetErrorCode = (typeof TargetErrorCode)[keyof typeof TargetErrorCode];

/** The same codes as a list. */
export const TARGET_ERROR_CODES = Object.values(TargetErrorCode);

/** `transient`: retried with backoff. `fatal`: a person has to change something; still retried, once a minute. */
type TargetErrorSeverity = "transient" | "fatal";

/** How a link failed. The message is one plain sentence that says what to do. No secrets. */
export type TargetError = {
  readonly code: TargetErrorCode;
  readonly severity: TargetErrorSeverity;
  readonly message: string;
  /** The same sentence in Korean. */
  readonly messageKo: string;
};

/** What is wrong with a target although it is PUBLISHING: the closed list of the API's `warning.code`. */
export const TARGET_WARNING_CODES = ["SLOW", "WAITS_FOR_KEYFRAME", "WAITS_FOR_MEDIA"] as const;

export type TargetWarning = {
  readonly code: (typeof TARGET_WARNING_CODES)[number];
  /** One plain sentence that says what to do. */
  readonly message: string;
  /** The same sentence in Korean. */
  readonly messageKo: string;
};

/** The API's `connectStatus`. */
export type ConnectStatus = "READY" | "CONNECTING" | "PUBLISHING" | "FAIL";

/** The state of one target at one moment. Times are milliseconds since the Unix epoch. */
export type TargetStatus = {
  readonly status: ConnectStatus;
  readonly sinceTime: number;
  /** The last failure; absent once the target is PUBLISHING again or READY. */
  readonly lastError?: TargetError & { readonly time: number };
  /** What is wrong while it is PUBLISHING. */
  readonly warning?: TargetWarning;
  /** Retries since the target was last PUBLISHING; set while CONNECTING again or FAIL. */
  readonly retryAttempt?: number;
  /** When the next attempt is due; set while FAIL. */
  readonly nextRetryTime?: number;
};

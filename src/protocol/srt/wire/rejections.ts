/**
 * Why a listener rejects a caller, as the handshake's type. From 2000 on the numbers are HTTP's plus 2000; libsrt's API
 * shows all of them 1000 lower. Source: libsrt's access control guidelines.
 */
export const REJECTIONS = {
  /** No reason is given. */
  unknown: 1_000,
  /** A system call failed. */
  system: 1_001,
  /** Refused, without a reason: MediaMTX sends it for everything. */
  peer: 1_002,
  /** Out of resources. */
  resource: 1_003,
  /** The handshake is malformed. */
  rogue: 1_004,
  /** Too many connections wait to be accepted. */
  backlog: 1_005,
  internal: 1_006,
  /** The listener is closing. */
  closing: 1_007,
  /** The peer's version is too old. */
  version: 1_008,
  rendezvous: 1_009,
  /** Another passphrase. */
  badSecret: 1_010,
  /** Only one side has a passphrase. */
  unsecure: 1_011,
  /** Live mode is required. */
  messageApi: 1_012,
  congestion: 1_013,
  /** Forward error correction is asked for. */
  filter: 1_014,
  /** A bonded group is asked for. */
  group: 1_015,
  timeout: 1_016,
  /** Another kind of cipher. */
  crypto: 1_017,
  badRequest: 2_400,
  unauthorised: 2_401,
  overload: 2_402,
  forbidden: 2_403,
  notFound: 2_404,
  badMode: 2_405,
  unacceptable: 2_406,
  conflict: 2_409,
  mediaType: 2_415,
  locked: 2_423,
  internalError: 2_500,
  notImplemented: 2_501,
  unavailable: 2_503,
} as const;
export type Rejection = keyof typeof REJECTIONS;

const NAMES = new Map<number, string>(Object.entries(REJECTIONS).map(([name, code]) => [code, name]));

/** The name of a rejection's number; undefined for one that we do not know. */
export function rejectionOf(code: number): Rejection | undefined {
  const name = NAMES.get(code);
  return name !== undefined && isRejection(name) ? name : undefined;
}

function isRejection(name: string): name is Rejection {
  return name in REJECTIONS;
}

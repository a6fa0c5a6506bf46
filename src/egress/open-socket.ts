import type { X509Certificate } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { diallingTroubleOf, type MachineTrouble, machineTroubleOf, systemCode } from "../base/system-errors.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import type { TargetId, TargetTrust } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { machineError, socketError, tlsFailed } from "./link-errors.ts";
import { type KeptSession, type TlsMemory, type Verified, verifiedNow } from "./tls-memory.ts";

const TCP_DEADLINE_MS = 10_000;
/** … for each address, where a name has several. */
const TCP_DEADLINE_EACH_MS = 4_000;
const TLS_DEADLINE_MS = 10_000;
/** TLS sessions kept for a connection: servers send two, and one may send them without end. */
const SESSIONS_MAX = 2;
/** Addresses of a name that are tried in one attempt. */
export const ADDRESSES_TRIED_MAX = 4;
const KEEP_ALIVE_DELAY_MS = 30_000;

/** Why no connection could be made, as an error for people. */
export class OpenError extends Error {
  override readonly name = "OpenError";
  readonly stage: "resolve" | "tcp" | "tls";
  readonly targetError: TargetError;
  /** What this machine lacked, if that was the reason. */
  readonly trouble: MachineTrouble | undefined;
  constructor(
    stage: OpenError["stage"],
    targetError: TargetError,
    options: ErrorOptions & { readonly trouble?: MachineTrouble | undefined } = {},
  ) {
    super(targetError.message, options);
    this.stage = stage;
    this.targetError = targetError;
    this.trouble = options.trouble;
  }
}

/**
 * Connects to one of the addresses, tried in turn, each with a deadline. Addresses are used as they are, because they
 * were checked and a name would be resolved again.
 *
 * @throws OpenError, or the signal's reason once it is aborted.
 */
export async function openTcp(
  addresses: readonly CheckedAddress[],
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly checked: CheckedAddress }> {
  const deadlineMs = addresses.length > 1 ? TCP_DEADLINE_EACH_MS : TCP_DEADLINE_MS;
  let failure: OpenError | undefined;
  let triedCount = 0;
  for (const checked of inTurn(addresses)) {
    if (triedCount === ADDRESSES_TRIED_MAX) break;
    const socket = connectTcp({
      host: checked.address,
      port: checked.port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS,
    });
    try {
      await whenOpen(socket, "connect", deadlineMs, clock, signal);
      return { socket, checked };
    } catch (error) {
      socket.destroy();
      signal.throwIfAborted();
      // A machine without IPv6 fails at once; the error of another address says more.
      if (failure === undefined || !isUnreachable(error)) failure = notConnected(error, checked);
      if (!isUnreachable(error)) triedCount += 1;
    }
  }
  throw failure ?? new OpenError("tcp", socketError(undefined, "tcp"));
}

function notConnected(error: unknown, { family }: CheckedAddress): OpenError {
  if (error === DEADLINE) return new OpenError("tcp", socketError("ETIMEDOUT", "tcp"), { cause: error });
  const { code, cause } = error instanceof RefusedHere ? error : { code: systemCode(error), cause: error };
  const dialling = diallingTroubleOf(code);
  // A machine without an IPv6 address has no port there either.
  const refused = dialling === "ports" && family === 6 ? "no-route" : dialling;
  const trouble = error instanceof RefusedHere ? refused : machineTroubleOf(code);
  const linkError = trouble === undefined ? socketError(code, "tcp") : machineError(trouble, `IPv${family}`);
  return new OpenError("tcp", linkError, { cause, trouble });
}

const undeciphered = new WeakMap<Socket, Socket>();

/** The socket below a TLS one; undefined where there is no TLS. */
export function socketBelow(socket: Socket): Socket | undefined {
  return undeciphered.get(socket);
}

/** Raw bytes that came over a connection: TLS may need many of them for no content. */
export function bytesCame(socket: Socket): number {
  return (socketBelow(socket) ?? socket).bytesRead;
}

/**
 * Starts TLS on a connection: certificate verified, SNI for names (YouTube and Amazon's ingests demand it; RFC 6066
 * forbids addresses there).
 *
 * @throws OpenError, or the signal's reason once it is aborted.
 */
export async function openTls(
  socket: Socket,
  checked: CheckedAddress,
  trust: { readonly tls: TargetTrust; readonly memory: TlsMemory; readonly targetId: TargetId },
  clock: Clock,
  signal: AbortSignal,
): Promise<TLSSocket> {
  const { address, serverName } = checked;
  const { tls, memory } = trust;
  const sessionName = memory.sessionName(trust.targetId, checked, tls);
  const kept = memory.session(sessionName, clock);
  const secured = connectTls({
    socket,
    host: address,
    secureContext: memory.context(tls.ca),
    // A pinned certificate needs no authority.
    rejectUnauthorized: tls.fingerprint === undefined,
    ...(kept === undefined ? {} : { session: kept.session }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  // TLS 1.2 sends it before the certificate is verified, TLS 1.3 after that, and more than once.
  let verified: Verified | undefined;
  let early: Buffer | undefined;
  let sessions = 0;
  secured.on("session", (session) => {
    sessions += 1;
    if (sessions > SESSIONS_MAX) return;
    if (verified === undefined) early = session;
    else memory.keep(sessionName, { session, ...verified });
  });
  try {
    await whenOpen(secured, "secureConnect", TLS_DEADLINE_MS, clock, signal);
  } catch (error) {
    secured.destroy();
    memory.forget(sessionName);
    signal.throwIfAborted();
    if (error === DEADLINE) throw new OpenError("tls", targetError("tls-unanswered"));
    const code = systemCode(error) ?? "ECONNRESET";
    throw new OpenError("tls", tlsFailed(code), { cause: error, trouble: machineTroubleOf(code) });
  }
  undeciphered.set(secured, socket);
  verified = verify(secured, kept, tls, clock);
  if (verified === undefined) {
    secured.destroy();
    memory.forget(sessionName);
    throw new OpenError("tls", targetError("tls-wrong-fingerprint"));
  }
  if (early !== undefined) memory.keep(sessionName, { session: early, ...verified });
  return secured;
}

/** For how long the peer's certificate need not be shown again; undefined where it is not the pinned one. */
function verify(
  secured: TLSSocket,
  kept: KeptSession | undefined,
  { fingerprint }: TargetTrust,
  clock: Clock,
): Verified | undefined {
  // A resumed session shows no certificate, and is valid as long as the first connection's certificate.
  if (secured.isSessionReused()) return kept;
  const certificate = secured.getPeerX509Certificate();
  if (certificate === undefined) return undefined;
  const isPinned = fingerprint !== undefined;
  if (isPinned && fingerprintOf(certificate) !== fingerprint) return undefined;
  return verifiedNow(certificate, isPinned, clock);
}

/** SHA-256 of a certificate, as 64 lower-case hexadecimal digits. */
function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(":", "").toLowerCase();
}

/**
 * IPv4 and IPv6 alternating: a name with many addresses of a family that does not work here must not hide the other
 * family.
 */
export function inTurn(addresses: readonly CheckedAddress[]): CheckedAddress[] {
  const [four, six] = [4, 6].map((family) => addresses.filter((address) => address.family === family));
  return addresses.flatMap((_, index) => [four?.[index], six?.[index]].filter((each) => each !== undefined));
}

const DEADLINE = Symbol("deadline");

/** The kernel refused to begin: no packet was sent, so this machine is the reason. */
class RefusedHere extends Error {
  override readonly name = "RefusedHere";
  readonly code: string | undefined;
  constructor(cause: unknown) {
    super("refused by this machine", { cause });
    this.code = systemCode(cause);
  }
}

function whenOpen(
  socket: Socket,
  event: "connect" | "secureConnect",
  deadlineMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = startDeadline(clock, deadlineMs, () => reject(DEADLINE));
    // A reply of the network comes in a later turn of the event loop.
    let isFirstTurn = event === "connect";
    setImmediate(() => {
      isFirstTurn = false;
    });
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const settle = () => {
      timer.cancel();
      signal.removeEventListener("abort", abort);
    };
    socket.once(event, () => {
      settle();
      resolve();
    });
    // Stays: an error may come after the deadline, and without a listener it would end the process.
    socket.on("error", (error) => {
      settle();
      reject(isFirstTurn ? new RefusedHere(error) : error);
    });
    socket.once("close", () => {
      settle();
      reject(new Error("closed before it was open"));
    });
  });
}

function isUnreachable(error: unknown): boolean {
  return ["ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH"].includes(systemCode(error) ?? "");
}

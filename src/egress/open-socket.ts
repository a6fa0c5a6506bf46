import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../base/clock.ts";
import type { TargetError } from "../exchange/target-status.ts";
import type { CheckedAddress } from "../net/target-address.ts";
import { socketError, tlsFailed } from "./link-errors.ts";

const TCP_DEADLINE_MS = 10_000;
/** … for each, where a name has several addresses. */
const TCP_DEADLINE_EACH_MS = 4_000;
const TLS_DEADLINE_MS = 10_000;
const ADDRESSES_TRIED_MAX = 4;
const KEEP_ALIVE_DELAY_MS = 30_000;

/** Why no connection could be made, ready to be shown. */
export class OpenError extends Error {
  override readonly name = "OpenError";
  readonly stage: "resolve" | "tcp" | "tls";
  readonly targetError: TargetError;
  constructor(stage: OpenError["stage"], targetError: TargetError, options?: ErrorOptions) {
    super(targetError.message, options);
    this.stage = stage;
    this.targetError = targetError;
  }
}

/**
 * Connects to one of the addresses, tried in turn, each with a deadline. They are connected to as they are: they were checked,
 * a name would be resolved again. Throws OpenError, or the signal's reason once it is aborted.
 */
export async function openTcp(
  addresses: readonly CheckedAddress[],
  clock: Clock,
  signal: AbortSignal,
): Promise<{ readonly socket: Socket; readonly checked: CheckedAddress }> {
  const deadlineMs = addresses.length > 1 ? TCP_DEADLINE_EACH_MS : TCP_DEADLINE_MS;
  let failure: unknown;
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
      // A machine without IPv6 says so at once; what the other address said is the news.
      if (failure === undefined || !isUnreachable(error)) failure = error;
      if (!isUnreachable(error)) triedCount += 1;
    }
  }
  const code = failure === DEADLINE ? "ETIMEDOUT" : systemCode(failure);
  throw new OpenError("tcp", socketError(code, "tcp"), { cause: failure });
}

/**
 * TLS on a connection that stands: certificate verified, SNI for names (YouTube and Amazon's ingests demand it; an address
 * may not be named there). Throws OpenError, or the signal's reason once it is aborted.
 */
export async function openTls(
  socket: Socket,
  checked: CheckedAddress,
  clock: Clock,
  signal: AbortSignal,
): Promise<Socket> {
  const { address, serverName } = checked;
  const secured = connectTls({
    socket,
    host: address,
    minVersion: "TLSv1.2",
    ...(serverName === undefined ? {} : { servername: serverName }),
  });
  try {
    await whenOpen(secured, "secureConnect", TLS_DEADLINE_MS, clock, signal);
    return secured;
  } catch (error) {
    secured.destroy();
    signal.throwIfAborted();
    if (error === DEADLINE) throw new OpenError("tls", tlsFailed("unanswered"));
    throw new OpenError("tls", tlsFailed(isAboutCertificate(error) ? "certificate" : "handshake"), { cause: error });
  }
}

/** IPv4 and IPv6 in turn: a name with many addresses of a family that is broken here must not hide the other. */
function inTurn(addresses: readonly CheckedAddress[]): CheckedAddress[] {
  const [four, six] = [4, 6].map((family) => addresses.filter((address) => address.family === family));
  return addresses.flatMap((_, index) => [four?.[index], six?.[index]].filter((each) => each !== undefined));
}

const DEADLINE = Symbol("deadline");

function whenOpen(
  socket: Socket,
  event: "connect" | "secureConnect",
  deadlineMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = clock.startTimer(deadlineMs, () => reject(DEADLINE));
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
    // Stays on: an error may come after the deadline, and an unheard one ends the process.
    socket.on("error", (error) => {
      settle();
      reject(error);
    });
    socket.once("close", () => {
      settle();
      reject(new Error("closed before it was open"));
    });
  });
}

/** The operating system's word for an error, `ECONNREFUSED` and the like. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

function isUnreachable(error: unknown): boolean {
  return ["ENETUNREACH", "EADDRNOTAVAIL", "EHOSTUNREACH"].includes(systemCode(error) ?? "");
}

function isAboutCertificate(error: unknown): boolean {
  return /CERT|ALTNAME|SELF_SIGNED|ISSUER|UNABLE_TO/.test(systemCode(error) ?? "");
}

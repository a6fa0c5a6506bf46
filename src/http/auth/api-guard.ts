import type { FastifyRequest } from "fastify";
import { gatewayError } from "../../api-contract/errors.ts";
import type { Clock } from "../../base/clock.ts";
import { FailedGuesses, limitsFrom } from "../../base/failed-guesses.ts";
import { type DashboardAccess, isSessionOwner } from "../../control/access/dashboard-access.ts";
import type { SharedGuards } from "../../control/ports/shared-guards.ts";
import type { Service } from "../../control/service.ts";
import type { Caller, PassedCaller } from "../answers/caller.ts";
import { BODY_BYTES_MAX, endedMeanwhile, RequestRefusedError, refuseLarge } from "../answers/errors.ts";
import type { ConnectionGuard } from "../server/connection-guard.ts";
import { isRead } from "../server/head-requests.ts";
import { authenticate, authenticateSession } from "./auth.ts";
import { clientOf, FAILED_LOGINS_PER_MINUTE, RequestRate } from "./limits.ts";
import { REMEMBERED_MS, ReplayGuard, type ReplayProtection } from "./replay.ts";
import { checkOwnPage, type DashboardCookies } from "./session-cookie.ts";

export type ApiGuardOptions = {
  readonly service: Service;
  readonly dashboard: DashboardAccess;
  readonly cookies: DashboardCookies;
  readonly clock: Clock;
  /** The path at which clients find this server: they sign the path as they see it. */
  readonly basePath: string;
  /** Called for each failed authentication. */
  readonly onFailedLogin: (address: string) => void;
  /** Learns which connections are authenticated. */
  readonly guard: ConnectionGuard;
  /** Requests of one access key within a second. */
  readonly requestsPerSecond: number;
  /**
   * Failed authentications of one address within a minute; `limitsFrom` allows the networks around it correspondingly
   * more.
   */
  readonly failedLoginsPerMinute?: number;
  /** Default: `off`. */
  readonly replayProtection?: ReplayProtection;
  /** What the nodes of a cluster refuse together; absent: a single node. */
  readonly sharedGuards?: SharedGuards;
};

/** An authentication is good for this long without another check, in milliseconds. */
const PASS_LASTS_MS = 500;

const REPLAYED =
  "Invalid authentication information. A request with this signature was accepted already; sign the next one with a new timestamp.";

/** Signatures are forgotten minute by minute. */
const REPLAYS_FULL_WAIT_SECONDS = 60;

function isFailedLogin(error: unknown): boolean {
  return error instanceof RequestRefusedError && error.answer.body.error.errorCode === "200";
}

/** Runs before every call of the API, in the contract's order: size, authentication, role, rate. */
export class ApiGuard {
  readonly #options: ApiGuardOptions;
  readonly #rate: RequestRate;
  readonly #failedLogins: FailedGuesses;
  readonly #replays = new ReplayGuard();

  constructor(options: ApiGuardOptions) {
    this.#options = options;
    this.#rate = new RequestRate(options.requestsPerSecond, options.clock);
    this.#failedLogins = new FailedGuesses(limitsFrom(options.failedLoginsPerMinute ?? FAILED_LOGINS_PER_MINUTE));
  }

  /** Returns the sender of the request. Throws RequestRefusedError. */
  async pass(request: FastifyRequest): Promise<PassedCaller> {
    // For a body whose length is announced; a body in chunks is cut off while it is read.
    refuseLarge(request, BODY_BYTES_MAX);
    const token = this.#options.cookies.sessionToken(request);
    const caller = token === undefined ? await this.#byKey(request) : await this.#bySession(request, token);
    this.#options.guard.recognise(request.socket);
    refuseFor(this.#rate.take(caller.accessKeyId), "Too many requests with this access key.");
    if (this.#options.replayProtection === "writes" && !isRead(request.method)) await this.#takeOnce(caller);
    return { ...caller, passedMs: this.#options.clock.now() };
  }

  /**
   * Checks the same caller again once the body has arrived: its key or session may have ended meanwhile. Throws
   * RequestRefusedError.
   */
  async passAgain({ caller }: FastifyRequest): Promise<void> {
    const { clock, service, dashboard } = this.#options;
    if (caller === undefined || clock.now() - caller.passedMs < PASS_LASTS_MS) return;
    const isThere = isSessionOwner(caller.accessKeyId)
      ? (await dashboard.goneAmong(new Set([caller.accessKeyId]))).length === 0
      : (await service.accessKeys.find(caller.accessKeyId)) !== undefined;
    if (!isThere) throw new RequestRefusedError(endedMeanwhile());
  }

  /**
   * An ended session is no failed authentication: a token cannot be guessed, and a browser does not know that it ended.
   */
  async #bySession(request: FastifyRequest, token: string): Promise<Caller> {
    checkOwnPage(request);
    return authenticateSession(token, this.#options.dashboard);
  }

  async #byKey(request: FastifyRequest): Promise<Caller> {
    const client = clientOf(request.ip, request.socket.remoteAddress ?? "");
    // Before any work is done: guessing must not cost us anything.
    const waitMs = this.#failedLogins.waitMs(client, this.#options.clock.now());
    refuseFor(waitMs > 0 ? Math.ceil(waitMs / 1_000) : undefined, "Too many failed authentications from this address.");
    return this.#authenticate(request, client);
  }

  /** Last of all: a request that was refused for another reason may be sent again unchanged. */
  async #takeOnce({ signature }: Caller): Promise<void> {
    if (signature === undefined) return;
    const taken = this.#replays.take(signature, this.#options.clock.now());
    const isFirst = taken === "first" && (await this.#isFirstOfAll(signature));
    if (taken === "again" || (taken === "first" && !isFirst))
      throw new RequestRefusedError(gatewayError("AUTHENTICATION_FAILED", REPLAYED));
    refuseFor(taken === "full" ? REPLAYS_FULL_WAIT_SECONDS : undefined, "Too many writes within ten minutes.");
  }

  async #isFirstOfAll(signature: string): Promise<boolean> {
    return (await this.#options.sharedGuards?.useOnce("signature", signature, REMEMBERED_MS)) ?? true;
  }

  async #authenticate(request: FastifyRequest, client: string): Promise<Caller> {
    try {
      const { service, clock, basePath } = this.#options;
      const isManagersOnly = request.routeOptions.config.isManagersOnly === true;
      return await authenticate(request.raw, { service, clock, basePath, isManagersOnly });
    } catch (error) {
      if (isFailedLogin(error)) {
        this.#failedLogins.failed(client, this.#options.clock.now());
        this.#options.onFailedLogin(client);
      }
      throw error;
    }
  }
}

function refuseFor(waitSeconds: number | undefined, details: string): void {
  if (waitSeconds !== undefined) throw new RequestRefusedError(gatewayError("RATE_LIMITED", details), waitSeconds);
}

import type { Clock } from "../base/clock.ts";
import type { ClientFailure, ClientStage } from "../protocol/rtmp/client/client-outputs.ts";
import { type LoginDemand, LoginDialogue } from "../protocol/rtmp/server/publish-auth.ts";
import { resolveTargetUrl } from "../protocol/rtmp/url.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import { type TargetError, TargetErrorCode } from "../thread-protocol/targets/target-status.ts";
import { closedByTarget, redirectFailed, refusedByTarget, socketError, stageTimedOut } from "./link-errors.ts";
import type { OpenError } from "./open-socket.ts";

/**
 * The last connection begins at most this long after the dial, in milliseconds, so that an attempt takes a bounded
 * time.
 */
const NEXT_DEADLINE_MS = 20_000;
/** How often a target may redirect one attempt. */
const REDIRECTS_MAX = 3;
/** Our random part of a login's proof: 8 hexadecimal digits. */
const LOGIN_RANDOM_BYTES = 4;

type AttemptDeps = { readonly clock: Clock; readonly randomBytes: (length: number) => Buffer };

/** How the present connection was when it ended. */
export type Ending = {
  readonly stage: ClientStage;
  /** Over TLS, which was agreed on. */
  readonly isSecure: boolean;
  /** A refusal that came beside the reply that was awaited. */
  readonly doubt: ClientFailure | undefined;
  readonly publishedForMs: number;
};

/** What follows a failure: another connection, or the end of the attempt. */
type AttemptStep = { readonly kind: "connect" } | { readonly kind: "fail"; readonly error: TargetError };

/** One attempt at a target: its first connection, those of a login, and those to addresses it redirects us to. */
export class Attempt {
  readonly #target: TargetSpec;
  readonly #deps: AttemptDeps;
  readonly #begunAtMs: number;
  #url: string;
  #redirectCount = 0;
  #login: LoginDialogue | undefined;
  #loginQuery: string | undefined;

  constructor(target: TargetSpec, deps: AttemptDeps) {
    this.#target = target;
    this.#deps = deps;
    this.#begunAtMs = deps.clock.awakeNow();
    this.#url = target.url;
  }

  /** The address of the present connection: the target's own, or one it redirected us to. */
  get url(): string {
    return this.#url;
  }

  /** What a login adds to the present connection's application; undefined without a login. */
  get loginQuery(): string | undefined {
    return this.#loginQuery;
  }

  /** The present connection could not be opened. */
  notOpened({ targetError: error, trouble }: OpenError): TargetError {
    // A failure at an address that the target chose is the target's fault, unless this machine lacked something.
    return this.#redirectCount > 0 && trouble === undefined ? redirectFailed(error) : error;
  }

  /** The target refused. `app`: as in the present address. */
  refused(failure: ClientFailure, app: string): AttemptStep {
    if (failure.kind === "login-demanded") return this.#logIn(failure, app);
    if (failure.kind === "redirected") return this.#follow(failure.tcUrl);
    return fail(refusedByTarget(failure));
  }

  /** The target closed the connection without a message about it. */
  closed(ending: Ending): TargetError {
    return this.#likelyReason(ending) ?? closedByTarget(ending.stage, ending.publishedForMs, ending.isSecure);
  }

  /** The connection ended with the system's error, or one of TLS. */
  brokenOff(code: string | undefined, ending: Ending): TargetError {
    const error = socketError(code, ending.stage, ending.isSecure);
    // Whether a close arrives as a reset depends on what the target had not read yet.
    return error.code === TargetErrorCode.TcpReset ? (this.#likelyReason(ending) ?? error) : error;
  }

  /** The target did not reply in time. */
  unanswered({ stage, isSecure, doubt }: Ending): TargetError {
    return doubt === undefined ? stageTimedOut(stage, isSecure) : refusedByTarget(doubt);
  }

  /** Some targets close the connection where a login is wrong. */
  #likelyReason({ stage, doubt }: Ending): TargetError | undefined {
    if (this.#loginQuery !== undefined && stage === "connect") return targetError("login-closed");
    return doubt === undefined ? undefined : refusedByTarget(doubt);
  }

  /** Each step of a login needs a connection of its own, whether the target closes this one or keeps it. */
  #logIn(failure: ClientFailure & { readonly demand: LoginDemand }, app: string): AttemptStep {
    const { credentials } = this.#target;
    if (credentials === undefined) return fail(refusedByTarget(failure));
    this.#login ??= new LoginDialogue(credentials, app);
    const step = this.#login.answer(failure.demand, this.#deps.randomBytes(LOGIN_RANDOM_BYTES).toString("hex"));
    return step.kind === "reconnect" ? this.#next(step.query) : fail(targetError(`login-${step.kind}`));
  }

  /**
   * The same rules as for a ReconnectRequest: no forbidden address (checked when it is opened), and never from TLS to
   * plain TCP.
   */
  #follow(tcUrl: string): AttemptStep {
    if (this.#redirectCount === REDIRECTS_MAX) return fail(targetError("redirect-endless"));
    const url = resolveTargetUrl(this.#url, tcUrl);
    if (url === undefined) return fail(targetError("redirect-refused"));
    this.#redirectCount += 1;
    this.#url = url;
    // The server at the new address has not demanded a login yet.
    this.#login = undefined;
    return this.#next(undefined);
  }

  #next(loginQuery: string | undefined): AttemptStep {
    if (this.#deps.clock.awakeNow() - this.#begunAtMs > NEXT_DEADLINE_MS) return fail(stageTimedOut("connect"));
    this.#loginQuery = loginQuery;
    return { kind: "connect" };
  }
}

const fail = (error: TargetError): AttemptStep => ({ kind: "fail", error });

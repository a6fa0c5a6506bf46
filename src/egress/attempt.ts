import type { Clock } from "../base/clock.ts";
import type { ClientFailure } from "../protocol/rtmp/client/client-outputs.ts";
import { type LoginDemand, LoginDialogue } from "../protocol/rtmp/server/publish-auth.ts";
import { resolveTargetUrl } from "../protocol/rtmp/url.ts";
import type { TargetSpec } from "../thread-protocol/channel-spec.ts";
import { targetError } from "../thread-protocol/targets/target-errors.ts";
import type { TargetError } from "../thread-protocol/targets/target-status.ts";
import { redirectFailed, refusedByTarget, stageTimedOut } from "./link-errors.ts";
import type { OpenError } from "./open-socket.ts";

/** The next connection is not begun later than this after the dial, so that an attempt ends in bounded time. */
const NEXT_DEADLINE_MS = 20_000;
/** So often a target may send us on. */
const REDIRECTS_MAX = 3;
/** What we choose for a login's proof: 8 hexadecimal digits. */
const LOGIN_RANDOM_BYTES = 4;

type AttemptDeps = { readonly clock: Clock; readonly randomBytes: (length: number) => Buffer };

/** What is to be done about a failure: another connection, or the end of the attempt. */
type AttemptStep = { readonly kind: "connect" } | { readonly kind: "fail"; readonly error: TargetError };

/** One try at a target: its first connection, those of a login, and those to where it sends us. */
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

  /** The address of the present connection: the target's own, or where it sent us. */
  get url(): string {
    return this.#url;
  }

  /** What a login adds to the present connection's application; undefined where it does not show who we are. */
  get loginQuery(): string | undefined {
    return this.#loginQuery;
  }

  /** The present connection could not be opened. */
  notOpened({ targetError: error, trouble }: OpenError): TargetError {
    // What fails where the target sent us is its doing, but for what this machine lacks.
    return this.#redirectCount > 0 && trouble === undefined ? redirectFailed(error) : error;
  }

  /** The target said no. `app`: as in the present address. */
  refused(failure: ClientFailure, app: string): AttemptStep {
    if (failure.kind === "login-demanded") return this.#logIn(failure, app);
    if (failure.kind === "redirected") return this.#follow(failure.tcUrl);
    return fail(refusedByTarget(failure));
  }

  /** Each step of a login takes a connection of its own, whether the target closes this one or keeps it. */
  #logIn(failure: ClientFailure & { readonly demand: LoginDemand }, app: string): AttemptStep {
    const { credentials } = this.#target;
    if (credentials === undefined) return fail(refusedByTarget(failure));
    this.#login ??= new LoginDialogue(credentials, app);
    const step = this.#login.answer(failure.demand, this.#deps.randomBytes(LOGIN_RANDOM_BYTES).toString("hex"));
    return step.kind === "reconnect" ? this.#next(step.query) : fail(targetError(`login-${step.kind}`));
  }

  /** As with a ReconnectRequest: to no address that may not be connected to (who opens it sees to that), and never out of TLS. */
  #follow(tcUrl: string): AttemptStep {
    if (this.#redirectCount === REDIRECTS_MAX) return fail(targetError("redirect-endless"));
    const url = resolveTargetUrl(this.#url, tcUrl);
    if (url === undefined) return fail(targetError("redirect-refused"));
    this.#redirectCount += 1;
    this.#url = url;
    // Whoever it is there has not demanded a login yet.
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

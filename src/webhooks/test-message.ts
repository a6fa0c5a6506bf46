import type { Clock } from "../base/clock.ts";
import type { EndpointScope, EndpointStore, WebhookTest } from "../control/events/callbacks.ts";
import { DomainError } from "../control/ports/errors.ts";
import type { Post } from "./http-post.ts";
import { signatureHeaders } from "./signing.ts";

/** At most this many tests run at a time, over all endpoints. */
const RUNNING_MAX = 4;

export type WebhookTesterDeps = {
  readonly store: Pick<EndpointStore, "findEndpoint">;
  readonly post: Post;
  readonly clock: Clock;
};

/** Sends an endpoint one signed test message, once and at once, and returns what came back. */
export class WebhookTester {
  readonly #deps: WebhookTesterDeps;
  #running = 0;

  constructor(deps: WebhookTesterDeps) {
    this.#deps = deps;
  }

  /**
   * Throws DomainError `endpoint-not-found` where no endpoint is set, and `endpoint-tests-running` where too many tests
   * run.
   */
  async send(scope: EndpointScope, channelName?: string): Promise<WebhookTest> {
    const { store, post, clock } = this.#deps;
    const endpoint = await store.findEndpoint(scope);
    if (endpoint === undefined) throw new DomainError({ kind: "endpoint-not-found" });
    if (this.#running >= RUNNING_MAX) throw new DomainError({ kind: "endpoint-tests-running" });
    this.#running += 1;
    try {
      const time = clock.wallNow();
      const description = "This is a test: nothing happened.";
      const about = scope === "default" ? {} : { channelId: scope.channelId, channelName };
      const body = JSON.stringify({
        id: 0,
        logLevel: "INFO",
        ...about,
        event: "WEBHOOK_TEST",
        timestamp: time,
        description,
      });
      const signature = signatureHeaders({ id: `test_${time}`, nowMs: time, body }, endpoint.secret);
      const headers = { "content-type": "application/json", "user-agent": "Fanfare", ...signature };
      const startMs = clock.now();
      // `post` has a deadline of its own.
      const result = await post({ url: endpoint.url, headers, body }, new AbortController().signal);
      return { url: endpoint.url, durationMs: clock.now() - startMs, ...(result ?? { problem: "TIMEOUT" }) };
    } finally {
      this.#running -= 1;
    }
  }
}

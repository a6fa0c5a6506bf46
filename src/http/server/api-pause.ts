import type { FastifyInstance, FastifyRequest } from "fastify";
import { StoreUnavailableError } from "../../control/ports/errors.ts";

/** Requests under way have this long to finish, in milliseconds. */
const PATIENCE_MS = 500;
/** These need no database. */
const UNPAUSED: readonly string[] = ["/livez", "/readyz", "/metrics", "/stat"];

/**
 * Answers requests with 503 and `Retry-After` while the database belongs to another process: a newer one that is about
 * to take over.
 */
export class ApiPause {
  readonly #running = new Set<FastifyRequest>();
  #isPaused = false;
  #onIdle: () => void = () => undefined;

  /** Call it first of all hooks. */
  watch(server: FastifyInstance): void {
    server.addHook("onRequest", (request, _reply, done) => {
      const { url = "", config } = request.routeOptions;
      if (request.is404 || UNPAUSED.includes(url)) return done();
      if (this.#isPaused) return done(new StoreUnavailableError("locked"));
      if (config.isStream !== true) this.#running.add(request);
      return done();
    });
    server.addHook("onResponse", (request, _reply, done) => {
      this.#running.delete(request);
      if (this.#running.size === 0) this.#onIdle();
      done();
    });
  }

  /** From now on. Resolves when the requests under way are answered, after half a second at the latest. */
  async begin(): Promise<void> {
    this.#isPaused = true;
    if (this.#running.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      timer = setTimeout(resolve, PATIENCE_MS);
    });
    clearTimeout(timer);
  }

  /** Requests are answered again. */
  end(): void {
    this.#isPaused = false;
  }
}

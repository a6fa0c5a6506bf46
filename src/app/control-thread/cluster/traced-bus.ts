import { CHANNEL_HINT } from "../../../cluster/hints.ts";
import type { Bus, BusMessage, BusReply } from "../../../control/ports/bus.ts";
import { currentTrace, runWithin } from "../../../thread-protocol/traces/current-trace.ts";
import { OpenSpan, type SpanDeps } from "../../../thread-protocol/traces/open-span.ts";
import { parseTraceParent, traceParentText } from "../../../thread-protocol/traces/trace-parent.ts";

/** Channel ids are shorter. */
const CHANNEL_ID_LENGTH_MAX = 64;

/**
 * A bus that carries traces: questions to other nodes, and hints of changes, that follow from a traced step have its
 * `traceparent`. What another node does for them is a span in that trace. Messages without one are passed on as they are.
 */
export class TracedBus implements Bus {
  readonly #bus: Bus;
  readonly #deps: SpanDeps;

  constructor(bus: Bus, deps: SpanDeps) {
    this.#bus = bus;
    this.#deps = deps;
  }

  get isConnected(): boolean {
    return this.#bus.isConnected;
  }

  publish(subject: string, message: BusMessage): boolean {
    return this.#bus.publish(subject, subject === CHANNEL_HINT ? withTrace(message) : message);
  }

  subscribe(pattern: string, take: Parameters<Bus["subscribe"]>[1]): () => void {
    if (pattern !== CHANNEL_HINT) return this.#bus.subscribe(pattern, take);
    return this.#bus.subscribe(pattern, (message, subject) => this.#within(message, () => take(message, subject)));
  }

  request(subject: string, message: BusMessage, timeoutMs: number): Promise<BusReply> {
    return this.#bus.request(subject, withTrace(message), timeoutMs);
  }

  serve(subject: string, answer: Parameters<Bus["serve"]>[1]): () => void {
    return this.#bus.serve(subject, async (message) => await this.#within(message, () => answer(message)));
  }

  onConnection(take: (isConnected: boolean) => void): () => void {
    return this.#bus.onConnection(take);
  }

  close(): Promise<void> {
    return this.#bus.close();
  }

  /** Does what a message asks for, as a span of the trace that it belongs to. */
  #within<Result>(message: BusMessage, run: () => Result | Promise<Result>): Result | Promise<Result> {
    const parent = parseTraceParent(message["traceparent"]);
    if (parent === undefined) return run();
    const { op, channelId } = message;
    const span = new OpenSpan(this.#deps, {
      ...{
        name: `node ${typeof op === "string" ? op.slice(0, CHANNEL_ID_LENGTH_MAX) : "hint"}`,
        kind: "server",
        parent,
      },
      attributes:
        typeof channelId === "string" ? { "fanfare.channel_id": channelId.slice(0, CHANNEL_ID_LENGTH_MAX) } : {},
    });
    const end = (): void => span.end();
    return runWithin(span, () => {
      try {
        const result = run();
        if (result instanceof Promise) return result.finally(end);
        end();
        return result;
      } catch (error) {
        end();
        throw error;
      }
    });
  }
}

function withTrace(message: BusMessage): BusMessage {
  const trace = currentTrace();
  return trace === undefined ? message : { ...message, traceparent: traceParentText(trace) };
}

import type { DialTraceDeps } from "../../egress/traces/dial-trace.ts";
import type { ToMedia } from "../../thread-protocol/messages.ts";
import { OpenSpan, type SpanDeps } from "../../thread-protocol/traces/open-span.ts";
import type { TraceParent } from "../../thread-protocol/traces/traces.ts";
import type { Envelope } from "../threads/transport-ends.ts";

/** The traces of this thread's work. */
export class ThreadTraces implements DialTraceDeps {
  readonly clock: SpanDeps["clock"];
  readonly randomBytes: SpanDeps["randomBytes"];
  readonly sampling: SpanDeps["sampling"];
  readonly onSpan: SpanDeps["onSpan"];
  #current: TraceParent | undefined;

  constructor({ clock, randomBytes, sampling, onSpan }: SpanDeps) {
    this.clock = clock;
    this.randomBytes = randomBytes;
    this.sampling = sampling;
    this.onSpan = onSpan;
  }

  /** The command that is being carried out: what it dials at once belongs to it. Later dials begin traces. */
  get current(): TraceParent | undefined {
    return this.#current;
  }

  /** Carries out a command. One that belongs to a trace gets a span, from its sending to here. */
  carryOut({ message, trace }: Envelope<ToMedia>, run: () => void): void {
    if (trace === undefined) return run();
    const { sentTime: startTime, ...parent } = trace;
    const command = new OpenSpan(this, { ...{ name: nameOf(message), kind: "internal" }, parent, startTime });
    this.#current = command;
    try {
      run();
    } finally {
      this.#current = undefined;
      command.end();
    }
  }
}

/** `command channel`, `command keyframe`. */
function nameOf(message: ToMedia): string {
  return `command ${message.kind === "request" ? message.request.kind : message.kind}`;
}

import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { KitTarget } from "../../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../../src/testkit/target/target-behaviour.ts";
import type { TargetEvent } from "../../../src/testkit/target/target-report.ts";
import { ConnectionOrder } from "./connection-order.ts";

export type RecordedTargetOptions = {
  readonly onMessage: (message: MessageRecord) => void;
  readonly onProblem: (problem: string) => void;
};

/** A target of the fault kit that can go and come back on the same port, and checks the order of everything it gets. */
export class RecordedTarget {
  readonly #options: RecordedTargetOptions;
  readonly #orders = new Map<number, ConnectionOrder>();
  #target: KitTarget;
  #connectionsBefore = 0;
  /** Bytes were swallowed on the way to connections below this number, so their streams prove nothing. */
  #excusedBelow = 0;

  private constructor(options: RecordedTargetOptions, target: KitTarget) {
    this.#options = options;
    this.#target = target;
  }

  static async start(options: RecordedTargetOptions): Promise<RecordedTarget> {
    let onEvent: ((event: TargetEvent) => void) | undefined;
    const target = await KitTarget.start({ reportsMessages: true, onEvent: (event) => onEvent?.(event) });
    const recorded = new RecordedTarget(options, target);
    onEvent = (event) => recorded.#take(event);
    return recorded;
  }

  get port(): number {
    return this.#target.port;
  }

  /** Over all its lives. */
  get connectionCount(): number {
    return this.#connectionsBefore + this.#target.connections.length;
  }

  /** Audio and video that came over connections that publish now, in bytes; undefined where there is none. */
  get liveMediaBytes(): number | undefined {
    const live = this.#target.connections.filter(
      ({ report }) => report.state === "open" && report.stage === "publishing",
    );
    return live.length === 0 ? undefined : live.reduce((sum, { report }) => sum + report.mediaBytes, 0);
  }

  behave(behaviour: TargetBehaviour): void {
    this.#target.behave(behaviour);
  }

  /** Closes its connections, without a goodbye. */
  endConnections(): void {
    for (const connection of this.#target.connections) if (connection.report.state === "open") connection.end();
  }

  /** Bytes are swallowed from now on, or were until now. */
  excuseConnections(): void {
    this.#excusedBelow = this.#target.connections.length;
  }

  async close(): Promise<void> {
    await this.#target.close();
  }

  /** Listens again where it did. */
  async restart(): Promise<void> {
    this.#connectionsBefore += this.#target.connections.length;
    this.#excusedBelow = 0;
    this.#orders.clear();
    this.#target = await KitTarget.start({
      port: this.port,
      reportsMessages: true,
      onEvent: (event) => this.#take(event),
    });
  }

  #take(event: TargetEvent): void {
    if (event.event === "connected") this.#orders.set(event.connection, new ConnectionOrder());
    else if (event.event === "closed") this.#orders.delete(event.connection);
    else if (event.event === "problem") this.#tell(event.connection, event.detail);
    else if (event.event === "message") {
      const problem = this.#orders.get(event.connection)?.take(event.message);
      if (problem !== undefined) this.#tell(event.connection, problem);
      this.#options.onMessage(event.message);
    }
  }

  #tell(connection: number, problem: string): void {
    if (connection < this.#excusedBelow) return;
    this.#options.onProblem(`connection ${this.#connectionsBefore + connection}: ${problem}`);
  }
}

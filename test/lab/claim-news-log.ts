import { connect } from "@nats-io/transport-node";
import { z } from "zod";

const claim = z.looseObject({ channelId: z.string(), epoch: z.int(), incarnation: z.int() });

/** Every claim that a node told the others, written down outside the database, which may forget. */
export class ClaimNewsLog {
  readonly #epochs = new Map<string, Map<number, number>>();
  readonly #faults: string[] = [];
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  /** `servers`: addresses of NATS servers. */
  static async start(servers: readonly string[]): Promise<ClaimNewsLog> {
    const connection = await connect({ servers: [...servers], maxReconnectAttempts: -1 });
    const log = new ClaimNewsLog(() => connection.close());
    connection.subscribe("fanfare.*.v1.claim", {
      callback: (error, message) => {
        if (error === null) log.#take(message.json());
      },
    });
    await connection.flush();
    return log;
  }

  /** Ends it. Returns how many ownerships were told, and a sentence for each that should not be. */
  async stop(): Promise<{ readonly claims: number; readonly faults: readonly string[] }> {
    await this.#close();
    return { claims: [...this.#epochs.values()].reduce((sum, { size }) => sum + size, 0), faults: this.#faults };
  }

  #take(message: unknown): void {
    const { success, data } = claim.safeParse(message);
    if (!success) return void this.#faults.push("a claim in another form");
    const { channelId, epoch, incarnation } = data;
    const epochs = this.#epochs.get(channelId) ?? new Map<number, number>();
    this.#epochs.set(channelId, epochs);
    const known = epochs.get(epoch);
    if (known !== undefined && known !== incarnation)
      this.#faults.push(`epoch ${epoch} of ${channelId} belonged to the nodes ${known} and ${incarnation}`);
    const highest = Math.max(0, ...epochs.keys());
    if (known === undefined && epoch < highest)
      this.#faults.push(`epoch ${epoch} of ${channelId} came after ${highest}`);
    epochs.set(epoch, incarnation);
  }
}

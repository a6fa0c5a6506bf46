import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import type { Bus, BusMessage } from "../../control/ports/bus.ts";
import { OwnerUnavailableError } from "../../control/ports/errors.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { subjectsOf } from "../node-report.ts";

/** How long an owner may take to say that it took a command, in milliseconds. */
const ANSWER_MS = 800;
/** A test pattern waits for a media thread and the database. */
const PATTERN_ANSWER_MS = 5_000;
/** The outcomes of commands are remembered for this long, so that a repeated one is not done again. In milliseconds. */
const REMEMBERED_MS = 60_000;
const REMEMBERED_MAX = 10_000;

const channelId = z.string().min(1).max(64);
const command = z.discriminatedUnion("do", [
  z.object({ do: z.literal("end"), channelId }),
  z.object({ do: z.literal("hold"), channelId, how: z.enum(["extend", "end"]) }),
  z.object({ do: z.literal("cut"), channelId, slot: z.enum(["main", "backup"]) }),
  z.object({ do: z.literal("retry"), channelId, targetId: z.int().min(0) }),
  z.object({ do: z.literal("cut-delay"), channelId, targetId: z.int().min(0) }),
  z.object({ do: z.literal("start-test"), channelId, endTime: z.number(), forMs: z.number().min(0).max(86_400_000) }),
  z.object({
    // A word of its own: a node that does not know the list would send the pattern to all targets.
    do: z.literal("start-test-of"),
    channelId,
    endTime: z.number(),
    forMs: z.number().min(0).max(86_400_000),
    targetIds: z.array(z.int().min(0)).max(200),
  }),
  z.object({ do: z.literal("stop-test"), channelId }),
]);

/** Something that the owner of a channel shall do. Names only: the owner has or reads everything else. */
export type Command = z.infer<typeof command>;

/** `done`: taken; `result` where the command has one. `not-owner`: this node does not own the channel. */
export type CommandOutcome = { readonly kind: "done"; readonly result?: string } | { readonly kind: "not-owner" };

const outcome = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done"), result: z.string().max(64).optional() }),
  z.object({ kind: z.literal("not-owner") }),
]);

export type CommandSenderDeps = {
  readonly bus: Bus;
  readonly newRequestId: () => string;
  /** The owner by what nodes tell; undefined where none tells of the channel. */
  readonly toldOwner: (channelId: ChannelId) => Incarnation | undefined;
  /** The owner by the database. */
  readonly storedOwner: (channelId: ChannelId) => Promise<Incarnation | undefined>;
};

/** Sends commands to the nodes that own their channels. */
export class CommandSender {
  readonly #deps: CommandSenderDeps;

  constructor(deps: CommandSenderDeps) {
    this.#deps = deps;
  }

  /** Returns the command's result, if it has one. Rejects with OwnerUnavailableError where no owner takes it. */
  async send(sent: Command): Promise<string | undefined> {
    const { toldOwner, storedOwner, newRequestId } = this.#deps;
    const requestId = newRequestId();
    const told = toldOwner(sent.channelId);
    const first = told === undefined ? "not-owner" : await this.#ask(told, requestId, sent);
    if (first !== "not-owner") return first.result;
    const stored = await storedOwner(sent.channelId);
    if (stored === undefined || stored === told) throw new OwnerUnavailableError("no node owns the channel");
    const second = await this.#ask(stored, requestId, sent);
    if (second === "not-owner") throw new OwnerUnavailableError("the channel's owner changes");
    return second.result;
  }

  async #ask(node: Incarnation, requestId: string, sent: Command) {
    const timeoutMs = sent.do.startsWith("start-test") ? PATTERN_ANSWER_MS : ANSWER_MS;
    const reply = await this.#deps.bus.request(subjectsOf(node).rpc, { op: "command", requestId, ...sent }, timeoutMs);
    if (reply.kind === "none") throw new OwnerUnavailableError(`the node ${node} does not respond: ${reply.why}`);
    const read = outcome.safeParse(reply.message);
    if (!read.success) throw new OwnerUnavailableError(`the node ${node} does not know this command`);
    return read.data.kind === "not-owner" ? "not-owner" : read.data;
  }
}

/** Takes the commands of other nodes: each once, however often it arrives. */
export class CommandTaker {
  readonly #clock: Pick<Clock, "now">;
  readonly #run: (command: Command) => Promise<CommandOutcome>;
  readonly #known = new Map<string, { readonly outcome: Promise<CommandOutcome>; readonly untilMs: number }>();

  constructor(clock: Pick<Clock, "now">, run: (command: Command) => Promise<CommandOutcome>) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Undefined where this is no command that this program knows. */
  async take(message: BusMessage): Promise<CommandOutcome | undefined> {
    const { requestId } = message;
    const read = command.safeParse(message);
    if (!read.success || typeof requestId !== "string" || requestId.length > 64) return undefined;
    this.#forget();
    const known = this.#known.get(requestId);
    if (known !== undefined) return await known.outcome;
    const outcome = this.#run(read.data);
    this.#known.set(requestId, { outcome, untilMs: this.#clock.now() + REMEMBERED_MS });
    return await outcome;
  }

  #forget(): void {
    for (const [requestId, { untilMs }] of this.#known) {
      if (untilMs > this.#clock.now() && this.#known.size < REMEMBERED_MAX) return;
      this.#known.delete(requestId);
    }
  }
}

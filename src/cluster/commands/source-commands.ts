import { z } from "zod";
import type { Bus } from "../../control/ports/bus.ts";
import { DomainError, OwnerUnavailableError } from "../../control/ports/errors.ts";
import type { Incarnation } from "../../control/ports/ownership-store.ts";
import { SOURCE_COMMANDS, type SourceCommand } from "../../control/ports/source-player.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { subjectsOf } from "../node-report.ts";
import type { NodeRpc } from "../node-rpc.ts";

/** A source that stops waits for FFmpeg, and one that starts for the database. In milliseconds. */
const ANSWER_MS = 5_000;
/** Why a node refuses what it is asked for. The caller gets the same error as at that node. */
const FAULTS = [
  ...(["channel-not-found", "no-source", "ffmpeg-missing", "source-running", "source-not-running"] as const),
  ...(["channel-off", "source-encoder-on-air", "server-overloaded", "no-slate", "not-on-air"] as const),
];

const asked = z.object({ channelId: z.string().min(1).max(64), do: z.enum(SOURCE_COMMANDS) });
const reply = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("done") }),
  z.object({ kind: z.literal("cannot") }),
  z.object({ kind: z.literal("refused"), fault: z.enum(FAULTS) }),
]);
type Reply = z.infer<typeof reply>;

export type SourceCommandsDeps = {
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  /** Does it at this node. Returns false where this node cannot play the source, and rejects with DomainError. */
  readonly run: (channelId: ChannelId, command: SourceCommand) => Promise<boolean>;
};

/** Commands for sources, which are done at the node where a source plays or shall play. */
export class SourceCommands {
  readonly #deps: SourceCommandsDeps;

  constructor(deps: SourceCommandsDeps) {
    this.#deps = deps;
    deps.rpc.on("source", async (message) => {
      const read = asked.safeParse(message);
      return read.success ? await this.#run(read.data.channelId, read.data.do) : undefined;
    });
  }

  /** See `SourcePeers.ask`. */
  async ask(node: Incarnation, channelId: ChannelId, command: SourceCommand): Promise<boolean> {
    const { bus } = this.#deps;
    const given = await bus.request(subjectsOf(node).rpc, { op: "source", channelId, do: command }, ANSWER_MS);
    if (given.kind === "none") throw new OwnerUnavailableError(`the node ${node} does not respond: ${given.why}`);
    const read = reply.safeParse(given.message);
    if (!read.success) throw new OwnerUnavailableError(`the node ${node} does not know this command`);
    if (read.data.kind === "refused") throw new DomainError({ kind: read.data.fault });
    return read.data.kind === "done";
  }

  async #run(channelId: ChannelId, command: SourceCommand): Promise<Reply | undefined> {
    try {
      return { kind: (await this.#deps.run(channelId, command)) ? "done" : "cannot" };
    } catch (error) {
      const fault = error instanceof DomainError ? FAULTS.find((each) => each === error.fault.kind) : undefined;
      // The caller hears nothing, and answers that this node is not available.
      if (fault === undefined) throw error;
      return { kind: "refused", fault };
    }
  }
}

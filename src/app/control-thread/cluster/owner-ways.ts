import { z } from "zod";
import { subjectsOf } from "../../../cluster/node-report.ts";
import type { Bus } from "../../../control/ports/bus.ts";
import type { OwnerAnswer, OwnerQuestion } from "../../../control/ports/owner-question.ts";
import type { LinkDialer } from "../../../node-link/link-dialer.ts";
import { linkPlace } from "../../threads/link-place.ts";

const answer = z.object({ epoch: z.int().min(0).optional(), isOnAir: z.boolean(), isDraining: z.boolean() });
/** Nothing came: the caller stops waiting by itself. */
const SILENCE = new Promise<never>(() => undefined);

/** Asks over the node link: the owner's media thread answers, with its control thread. */
export function linkQuestion(dialer: LinkDialer, silentMs: number): OwnerQuestion {
  return {
    ask: async ({ channelId, incarnation, address }) => {
      const question = { what: "question", channelId, incarnation } as const;
      const outcome = await dialer.question(linkPlace(address), question, silentMs);
      switch (outcome.kind) {
        case "owner":
          return ownerAnswer(outcome);
        case "refused":
          return { kind: "gone" };
        case "silent":
          return await SILENCE;
        case "broken":
          // A newer process at this address, or one with another secret.
          return { kind: "unusable" };
      }
    },
  };
}

/** Asks over the bus: the owner's control thread answers. */
export function busQuestion(bus: Bus, silentMs: number): OwnerQuestion {
  return {
    ask: async ({ channelId, incarnation }) => {
      const reply = await bus.request(subjectsOf(incarnation).rpc, { op: "alive", channelId }, silentMs);
      if (reply.kind === "reply") {
        const read = answer.safeParse(reply.message);
        return read.success ? ownerAnswer(read.data) : { kind: "unusable" };
      }
      if (reply.why === "timed-out") return await SILENCE;
      return { kind: reply.why === "no-responders" ? "gone" : "unusable" };
    },
  };
}

function ownerAnswer({ epoch, isOnAir, isDraining }: z.infer<typeof answer>): OwnerAnswer {
  return epoch === undefined ? { kind: "not-owner" } : { kind: "owner", epoch, isOnAir, isDraining };
}

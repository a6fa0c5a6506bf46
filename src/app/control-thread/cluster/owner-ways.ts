import { z } from "zod";
import type { Clock, Timer } from "../../../base/clock.ts";
import { subjectsOf } from "../../../cluster/node-report.ts";
import type { Bus, BusReply } from "../../../control/ports/bus.ts";
import type { OwnerAnswer, OwnerQuestion } from "../../../control/ports/owner-question.ts";
import type { LinkDialer } from "../../../node-link/link-dialer.ts";
import { linkPlace } from "../../threads/link-place.ts";

const answer = z.object({ epoch: z.int().min(0).optional(), isOnAir: z.boolean(), isDraining: z.boolean() });
/**
 * A question that reached an owner in the moment of its death is never answered, and the next one shows at once that nobody is
 * there. So it is asked again after this long, in milliseconds.
 */
const ASK_AGAIN_MS = 200;
/** Nothing came: the caller stops waiting by itself. */
const SILENCE = new Promise<never>(() => undefined);

/** Asks over the node link: the owner's media thread answers, with its control thread. */
export function linkQuestion(dialer: Pick<LinkDialer, "question">, silentMs: number): OwnerQuestion {
  return {
    ask: async ({ channelId, incarnation, address }) => {
      const question = { what: "question", channelId, incarnation } as const;
      let outcome = await dialer.question(linkPlace(address), question, silentMs);
      // A process that dies resets what it had not accepted yet. The next connection is refused, which says more.
      if (outcome.kind === "broken") outcome = await dialer.question(linkPlace(address), question, silentMs);
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
export function busQuestion(
  bus: Pick<Bus, "request">,
  clock: Pick<Clock, "startTimer">,
  silentMs: number,
): OwnerQuestion {
  return {
    ask: ({ channelId, incarnation }, signal) =>
      new Promise((resolve) => {
        const subject = subjectsOf(incarnation).rpc;
        let timer: Timer | undefined;
        const askFor = (leftMs: number) => {
          if (leftMs <= 0 || signal.aborted) return;
          timer = clock.startTimer(ASK_AGAIN_MS, () => askFor(leftMs - ASK_AGAIN_MS));
          void bus.request(subject, { op: "alive", channelId }, leftMs).then((reply) => {
            const answered = busAnswer(reply);
            if (answered === undefined) return;
            timer?.cancel();
            resolve(answered);
          });
        };
        askFor(silentMs);
        signal.addEventListener("abort", () => timer?.cancel(), { once: true });
      }),
  };
}

/** Undefined: nothing came in time. */
function busAnswer(reply: BusReply): OwnerAnswer | undefined {
  if (reply.kind === "none" && reply.why === "timed-out") return undefined;
  if (reply.kind === "none") return { kind: reply.why === "no-responders" ? "gone" : "unusable" };
  const read = answer.safeParse(reply.message);
  return read.success ? ownerAnswer(read.data) : { kind: "unusable" };
}

function ownerAnswer({ epoch, isOnAir, isDraining }: z.infer<typeof answer>): OwnerAnswer {
  return epoch === undefined ? { kind: "not-owner" } : { kind: "owner", epoch, isOnAir, isDraining };
}

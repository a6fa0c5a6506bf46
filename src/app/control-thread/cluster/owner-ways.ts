import { z } from "zod";
import type { Clock, Timer } from "../../../base/clock.ts";
import { subjectsOf } from "../../../cluster/node-report.ts";
import type { Bus, BusReply } from "../../../control/ports/bus.ts";
import type { KnownOwner, OwnerAnswer, OwnerQuestion } from "../../../control/ports/owner-question.ts";
import type { LinkDialer } from "../../../node-link/link-dialer.ts";
import { linkPlace } from "../../threads/link-place.ts";

const answer = z.object({ epoch: z.int().min(0).optional(), isOnAir: z.boolean(), isDraining: z.boolean() });
/**
 * A question that reached an owner in the moment of its death is never answered, and the next one shows at once that nobody is
 * there. So it is asked again after this long, and then after twice as long each time. In milliseconds.
 */
const ASK_AGAIN_MS = 50;
/** A process that dies resets connections for a while, before it refuses them: it is dialled again, with such pauses. */
const DIAL_AGAIN_MS = 20;
/** A node that does not answer for this long, on either way, may be lost. In milliseconds. */
export const LOST_QUESTION_MS = 2_000;
/** Nothing came: the caller stops waiting by itself. */
const SILENCE = new Promise<never>(() => undefined);

/** Asks over the node link: the owner's media thread answers, with its control thread. */
export function linkQuestion(
  dialer: Pick<LinkDialer, "question">,
  clock: Pick<Clock, "awakeNow" | "startTimer">,
  silentMs: number,
): OwnerQuestion {
  return {
    ask: async ({ channelId, incarnation, address }, signal) => {
      const question = { what: "question", channelId, incarnation } as const;
      const untilMs = clock.awakeNow() + silentMs;
      for (let pauseMs = DIAL_AGAIN_MS; ; pauseMs *= 2) {
        const outcome = await dialer.question(linkPlace(address), question, untilMs - clock.awakeNow());
        switch (outcome.kind) {
          case "owner":
            return ownerAnswer(outcome);
          case "refused":
          case "replaced":
            return { kind: "gone" };
          case "silent":
            return await SILENCE;
          case "broken":
            break;
        }
        // One that goes on doing so has another secret, or is a newer process of a version that does not say so.
        if (clock.awakeNow() + pauseMs >= untilMs) return { kind: "unusable" };
        await new Promise<void>((resolve) => clock.startTimer(pauseMs, resolve));
        if (signal.aborted) return { kind: "unusable" };
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
        const askFor = (leftMs: number, againMs: number) => {
          if (leftMs <= 0 || signal.aborted) return;
          timer = clock.startTimer(againMs, () => askFor(leftMs - againMs, 2 * againMs));
          void bus.request(subject, { op: "alive", channelId }, leftMs).then((reply) => {
            const answered = busAnswer(reply);
            if (answered === undefined) return;
            timer?.cancel();
            resolve(answered);
          });
        };
        askFor(silentMs, ASK_AGAIN_MS);
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

/** How a node is asked, whatever it owns. */
export type NodeWays = { readonly link: OwnerQuestion; readonly bus: OwnerQuestion };

/** `ended`: its host refuses the connection, or a newer process is there in its place. */
export type NodeSign = "alive" | "ended" | "silent";

/**
 * Asks a node on both ways whether it lives. That nobody serves its questions on the bus proves nothing: it may have lost its
 * connection. Never rejects.
 */
export async function hearNode(
  asked: KnownOwner,
  { link, bus }: NodeWays,
  clock: Pick<Clock, "startTimer">,
): Promise<NodeSign> {
  const ending = new AbortController();
  const heard = Promise.withResolvers<NodeSign>();
  let withoutAnswer: NodeSign = "silent";
  const ask = async (way: OwnerQuestion) => {
    const { kind } = await way.ask(asked, ending.signal);
    if (kind === "owner" || kind === "not-owner") heard.resolve("alive");
    if (kind === "gone" && way === link) withoutAnswer = "ended";
  };
  void Promise.all([ask(link), ask(bus)]).then(() => heard.resolve(withoutAnswer));
  const timer = clock.startTimer(LOST_QUESTION_MS, () => heard.resolve(withoutAnswer));
  try {
    return await heard.promise;
  } finally {
    timer.cancel();
    ending.abort();
  }
}

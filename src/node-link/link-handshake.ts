import { z } from "zod";
import { type Frame, LinkError } from "./frames.ts";
import { readWords } from "./link-codec.ts";

/** The versions of the node link's protocol that this release speaks. */
export const LINK_VERSIONS: readonly number[] = [1];

const VERSIONS_MAX = 16;
const ID_MAX = 64;
const number = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const channelId = z.string().min(1).max(ID_MAX);
const helloSchema = z.object({
  versions: z.array(number).min(1).max(VERSIONS_MAX),
  /** The process that accepts the link. One of an older version does not tell, nor does one that dials. */
  incarnation: number.optional(),
});
const attachSchema = z.discriminatedUnion("what", [
  z.object({
    what: z.literal("publisher"),
    channelId,
    slot: z.enum(["main", "backup"]),
    /** The ownership that the visitor's node knows of, and the revision of the channel there. */
    epoch: number,
    revision: number,
  }),
  z.object({ what: z.literal("player"), channelId, epoch: number }),
  /** The last keyframe, unless the asker has the one of `knownTime`. */
  z.object({ what: z.literal("keyframe"), channelId, knownTime: number.optional() }),
  /** Whether that process is alive and owns the channel. Not answered by a newer process at the same address. */
  z.object({ what: z.literal("question"), channelId, incarnation: number }),
]);
const moveSchema = z.object({ epoch: number, startTime: number });
const ownerSchema = z.object({ epoch: number.optional(), isOnAir: z.boolean(), isDraining: z.boolean() });
const epochSchema = z.object({ epoch: number });
const releaseSchema = z.object({ channelId, epoch: number });

/**
 * What a visitor's node asks of the node that owns a channel: to take an encoder, to show the channel to a player, for its
 * last keyframe, or to say whether it owns the channel.
 */
export type Attach = z.infer<typeof attachSchema>;
/** The reply to a question. `epoch` is absent where the process does not own the channel. */
export type OwnerReply = z.infer<typeof ownerSchema>;
/** The owner gives the channel away: the asking node claims it. `startTime`: when the broadcast began. */
export type Move = z.infer<typeof moveSchema>;
/** Asks a node to give up an ownership that another node's epoch has ended. */
export type Release = z.infer<typeof releaseSchema>;

/**
 * Returns which process greets, where it says so.
 *
 * @throws LinkError where the peer speaks no version that this release does.
 */
export function readHello(frame: Frame): { readonly incarnation?: number | undefined } {
  if (frame.kind !== "hello") throw new LinkError(`a frame of the kind ${frame.kind} instead of hello`);
  const { versions, incarnation } = readWords(frame, helloSchema);
  if (versions.some((version) => LINK_VERSIONS.includes(version))) return { incarnation };
  throw new LinkError(`the peer speaks the versions ${versions.join(", ")}, this release ${LINK_VERSIONS.join(", ")}`);
}

export const readAttach = (frame: Frame): Attach => readWords(frame, attachSchema);
export const readOwner = (frame: Frame): OwnerReply => readWords(frame, ownerSchema);
export const readMove = (frame: Frame): Move => readWords(frame, moveSchema);
export const readEpoch = (frame: Frame): number => readWords(frame, epochSchema).epoch;
export const readRelease = (frame: Frame): Release => readWords(frame, releaseSchema);

import { z } from "zod";
import type { Bus } from "../../../control/ports/bus.ts";
import type { AskedClaim, ClaimBoard, ClaimNews } from "../../../control/ports/owner-question.ts";
import type { LinkDialer } from "../../../node-link/link-dialer.ts";
import { linkPlace } from "../../threads/link-place.ts";

const CLAIM = "claim";
const QUESTION = "claim-question";
/** A message of the bus has room for so many, however long their names are. */
const CHANNELS_SENT_MAX = 400;
const CHANNELS_MAX = 500;
const RELEASE_DEADLINE_MS = 2_000;

const channelId = z.string().min(1).max(64);
const number = z.int().min(0);
const claim = z.object({ channelId, epoch: number, incarnation: number, home: number.optional() });
const asked = z.object({ channelId, epoch: number, incarnation: number.optional(), home: number.optional() });
const question = z.object({ channels: z.array(asked).max(CHANNELS_MAX) });

export type ClaimTakers = {
  readonly heard: (news: ClaimNews) => void;
  readonly questioned: (channels: readonly AskedClaim[]) => void;
};

/** Tells of claims over the bus, and tells a former owner over its node link too. */
export function claimBoard(bus: Bus, dialer: Pick<LinkDialer, "release">): ClaimBoard {
  return {
    publish: (news) => bus.publish(CLAIM, { ...news }),
    release: async ({ channelId: id, epoch, address }) => {
      const { kind } = await dialer.release(linkPlace(address), { channelId: id, epoch }, RELEASE_DEADLINE_MS);
      return kind === "released" || kind === "refused";
    },
    question: (channels) => {
      for (let at = 0; at < channels.length; at += CHANNELS_SENT_MAX) {
        bus.publish(QUESTION, { channels: channels.slice(at, at + CHANNELS_SENT_MAX) });
      }
    },
  };
}

/** Takes what other nodes tell of claims. Returns a function that ends it. */
export function takeClaims(bus: Bus, { heard, questioned }: ClaimTakers): () => void {
  const stops = [
    bus.subscribe(CLAIM, (message) => {
      const read = claim.safeParse(message);
      if (read.success) heard(read.data);
    }),
    bus.subscribe(QUESTION, (message) => {
      const read = question.safeParse(message);
      if (read.success) questioned(read.data.channels);
    }),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

import { expect, test } from "vitest";
import { PlayPermits } from "../../../src/app/media-thread/play-permits.ts";
import type { PreviewSession } from "../../../src/relay/preview-session.ts";

function stage() {
  const said: string[] = [];
  const session: PreviewSession = {
    taken: () => undefined,
    pause: () => undefined,
    end: () => void said.push("session ended"),
  };
  const asked = Promise.withResolvers<PreviewSession | undefined>();
  const permits = new PlayPermits();
  const permit = permits.give(7, { leave: () => void said.push("left"), show: () => asked.promise });
  const sink = { take: () => undefined, end: () => void said.push("player ended") };
  return { said, session, asked, permits, permit, sink };
}

test("a revoked player is sent nothing more, whichever thread owns its channel", async () => {
  const { said, session, asked, permits, permit, sink } = stage();
  asked.resolve(session);
  expect(await permit.show(1, sink)).toBe(session);
  permits.revoke(8);
  expect(said).toEqual([]);
  permits.revoke(7);
  expect(said).toEqual(["session ended", "player ended"]);
});

test("a player revoked while the channel's thread is asked does not get the channel", async () => {
  const { said, session, asked, permits, permit, sink } = stage();
  const shown = permit.show(1, sink);
  permits.revoke(7);
  asked.resolve(session);
  expect([await shown, said]).toEqual([undefined, ["player ended", "session ended"]]);
});

test("a player revoked before it asks does not get the channel, and one that has left is not revoked", async () => {
  const { said, permits, permit, sink } = stage();
  permits.revoke(7);
  expect(await permit.show(1, sink)).toBeUndefined();
  permit.leave();
  permits.revoke(7);
  expect(said).toEqual(["left"]);
});

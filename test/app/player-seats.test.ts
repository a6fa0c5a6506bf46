import { expect, test } from "vitest";
import { PlayPermits } from "../../src/app/media-thread/play-permits.ts";
import type { PreviewSession } from "../../src/relay/preview-session.ts";

function stage() {
  const said: string[] = [];
  const showing: PreviewSession = {
    taken: () => undefined,
    pause: () => undefined,
    end: () => void said.push("showing ended"),
  };
  const asked = Promise.withResolvers<PreviewSession | undefined>();
  const seats = new PlayPermits();
  const seat = seats.give(7, { leave: () => void said.push("left"), show: () => asked.promise });
  const sink = { take: () => undefined, end: () => void said.push("player ended") };
  return { said, showing, asked, seats, seat, sink };
}

test("a player whose seat is taken away is shown nothing more, wherever its channel is", async () => {
  const { said, showing, asked, seats, seat, sink } = stage();
  asked.resolve(showing);
  expect(await seat.show(1, sink)).toBe(showing);
  seats.takeAway(8);
  expect(said).toEqual([]);
  seats.takeAway(7);
  expect(said).toEqual(["showing ended", "player ended"]);
});

test("one whose channel's home is just being asked is not shown it", async () => {
  const { said, showing, asked, seats, seat, sink } = stage();
  const shown = seat.show(1, sink);
  seats.takeAway(7);
  asked.resolve(showing);
  expect([await shown, said]).toEqual([undefined, ["player ended", "showing ended"]]);
});

test("one that has not asked yet is not shown it, and one that has left is nobody's", async () => {
  const { said, seats, seat, sink } = stage();
  seats.takeAway(7);
  expect(await seat.show(1, sink)).toBeUndefined();
  seat.leave();
  seats.takeAway(7);
  expect(said).toEqual(["left"]);
});

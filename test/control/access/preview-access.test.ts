import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { PreviewAccess, type PreviewSeals } from "../../../src/control/access/preview-access.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const MINUTE_MS = 60_000;

/** Seals that only this test can open. */
const seals: PreviewSeals = {
  seal: (text, channelId) => Buffer.from(`${channelId}/${text}`).toString("base64url"),
  open: (token, channelId) => {
    const [sealedFor, text] = Buffer.from(token, "base64url").toString().split("/");
    return sealedFor === channelId ? text : undefined;
  },
};

/** Two nodes with the same keys, whose clocks differ by this much. */
function twoNodes(aheadMs = 0) {
  const clocks = [new VirtualClock(), new VirtualClock()] as const;
  clocks[1].setWall(aheadMs);
  const access = (clock: VirtualClock) => new PreviewAccess({ clock, randomBytes, seals });
  const [first, second] = [access(clocks[0]), access(clocks[1])];
  return { first, second, clock: clocks[1] };
}

test("a token that one node made opens its channel at another one, for five minutes and the clocks' difference", () => {
  const { first, second, clock } = twoNodes();
  const { token, expiresTime } = first.newToken("ls-1", "key");
  expect(expiresTime).toBe(clock.wallNow() + 5 * MINUTE_MS);
  expect(second.enter(token, "ls-1")).toMatchObject({ channelId: "ls-1" });
  expect(second.enter(token, "ls-2")).toBe("refused");
  clock.advance(6 * MINUTE_MS - 1);
  expect(second.enter(token, "ls-1")).toMatchObject({ channelId: "ls-1" });
  clock.advance(1);
  expect(second.enter(token, "ls-1")).toBe("refused");
  expect(twoNodes(MINUTE_MS).second.enter(token, "ls-1")).toMatchObject({ channelId: "ls-1" });
});

test.for(["", "x", "AAAA", "a".repeat(100_000), Buffer.from("ls-1/no time").toString("base64url")])(
  "a text that no node made opens nothing (%#)",
  (token) => {
    expect(twoNodes().second.enter(token, "ls-1")).toBe("refused");
  },
);

test("a token of an owner that has ended opens nothing, and what it opened before ends", () => {
  const { first, second } = twoNodes();
  const { token } = first.newToken("ls-1", "key");
  const place = second.enter(token, "ls-1");
  if (typeof place === "string") return expect.fail(place);
  let isRevoked = false;
  place.onRevoked = () => {
    isRevoked = true;
  };
  expect([...second.owners()]).toEqual(["key"]);
  second.endOf("key");
  expect(isRevoked).toBe(true);
  expect(second.enter(token, "ls-1")).toBe("refused");
});

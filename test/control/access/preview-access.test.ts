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

test("all channels together have twenty viewers, and one that leaves makes room", () => {
  const access = new PreviewAccess({ clock: new VirtualClock(), randomBytes });
  const enter = (channelId: string) => access.enter(access.newToken(channelId, "key").token, channelId);
  const places = Array.from({ length: 20 }, (_, index) => enter(`ls-${index % 10}`));
  expect(places.filter((place) => typeof place === "string")).toEqual([]);
  expect(enter("ls-10")).toBe("full");
  const [first] = places;
  if (typeof first === "object") first.leave();
  expect(enter("ls-10")).toMatchObject({ channelId: "ls-10" });
});

test("a thousand tokens count at a time, the latest", () => {
  const access = new PreviewAccess({ clock: new VirtualClock(), randomBytes });
  const tokens = Array.from({ length: 1_001 }, () => access.newToken("ls-1", "key").token);
  expect(access.enter(tokens[0] ?? "", "ls-1")).toBe("refused");
  expect(access.enter(tokens[1] ?? "", "ls-1")).toMatchObject({ channelId: "ls-1" });
  expect(access.enter(tokens[1_000] ?? "", "ls-1")).toMatchObject({ channelId: "ls-1" });
});

test("a text that is longer than any token is not even opened", () => {
  let opened = 0;
  const open = () => {
    opened += 1;
    return undefined;
  };
  const access = new PreviewAccess({ clock: new VirtualClock(), randomBytes, seals: { ...seals, open } });
  expect([access.enter("a".repeat(513), "ls-1"), opened]).toEqual(["refused", 0]);
  expect([access.enter("a".repeat(512), "ls-1"), opened]).toEqual(["refused", 1]);
});

test("ten thousand owners that have ended are remembered, the latest", () => {
  const { first, second } = twoNodes();
  const { token } = first.newToken("ls-1", "key");
  second.endOf("key");
  for (let number = 1; number < 10_000; number += 1) second.endOf(`key ${number}`);
  expect(second.enter(token, "ls-1")).toBe("refused");
  second.endOf("another");
  expect(second.enter(token, "ls-1")).toMatchObject({ channelId: "ls-1" });
});

import { expect, test } from "vitest";
import type { Log } from "../../src/base/log.ts";
import type {
  ChannelPlacement,
  Ownership,
  PlacementChange,
  PlacementOwner,
} from "../../src/control/ports/channel-placement.ts";

const ignore = () => undefined;
const SILENT: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore };
const [A, B] = [{ thread: 0 }, { thread: 1 }];

/** Claims for a thread of a process that is alone. */
async function claim(placement: ChannelPlacement, channelId: string, candidate: PlacementOwner): Promise<Ownership> {
  const placed = await placement.claim(channelId, candidate);
  if (placed.kind !== "here") return expect.fail("the owner is elsewhere");
  return { owner: placed.owner, epoch: placed.epoch };
}

/** What every ChannelPlacement must do. `open` makes an empty one. */
export function placementSuite(open: (log: Log) => Promise<ChannelPlacement>): void {
  test("the first claim makes the owner, and later ones return it", async () => {
    const placement = await open(SILENT);
    expect(await placement.owner("ls-1")).toBe(undefined);
    const first = await claim(placement, "ls-1", A);
    expect(first.owner).toEqual(A);
    expect(await claim(placement, "ls-1", B)).toEqual(first);
    expect(await placement.owner("ls-1")).toEqual(first);
  });

  test("of many claims at once one makes the owner", async () => {
    const placement = await open(SILENT);
    const claims = await Promise.all(
      Array.from({ length: 64 }, (_, index) => claim(placement, "ls-1", { thread: index })),
    );
    expect(new Set(claims.map(({ owner, epoch }) => `${owner.thread} ${epoch}`)).size).toBe(1);
  });

  test("a released channel goes to the next candidate, with a higher epoch", async () => {
    const placement = await open(SILENT);
    const first = await claim(placement, "ls-1", A);
    await placement.release("ls-1", first.epoch);
    expect(await placement.owner("ls-1")).toBe(undefined);
    const second = await claim(placement, "ls-1", B);
    expect(second.owner).toEqual(B);
    expect(second.epoch).toBeGreaterThan(first.epoch);
  });

  test("a late release of an earlier ownership changes nothing", async () => {
    const placement = await open(SILENT);
    const first = await claim(placement, "ls-1", A);
    await placement.release("ls-1", first.epoch);
    const second = await claim(placement, "ls-1", B);
    await placement.release("ls-1", first.epoch);
    expect(await placement.owner("ls-1")).toEqual(second);
  });

  test("every change is reported once, before the call that made it returns, and not after unsubscribing", async () => {
    const placement = await open(SILENT);
    const changes: PlacementChange[] = [];
    const unsubscribe = placement.changes((change) => changes.push(change));
    const { epoch } = await claim(placement, "ls-1", A);
    expect(changes.splice(0)).toEqual([{ channelId: "ls-1", epoch, owner: A }]);
    await claim(placement, "ls-1", B);
    expect(changes).toEqual([]);
    await placement.release("ls-1", epoch);
    await placement.release("ls-1", epoch);
    expect(changes.splice(0)).toEqual([{ channelId: "ls-1", epoch }]);
    unsubscribe();
    await claim(placement, "ls-1", B);
    expect(changes).toEqual([]);
  });

  test("a listener that throws affects neither the others nor the caller", async () => {
    const told: PlacementChange[] = [];
    const logged: string[] = [];
    const placement = await open({ ...SILENT, error: (event) => logged.push(event) });
    placement.changes(() => {
      throw new Error("a listener failed");
    });
    placement.changes((change) => told.push(change));
    const { epoch } = await claim(placement, "ls-1", A);
    await placement.release("ls-1", epoch);
    expect(told).toEqual([
      { channelId: "ls-1", epoch, owner: A },
      { channelId: "ls-1", epoch },
    ]);
    expect(logged).toEqual(["placement listener failed", "placement listener failed"]);
    expect(await placement.owner("ls-1")).toBe(undefined);
  });
}

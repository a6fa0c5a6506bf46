import fc from "fast-check";
import { expect, test } from "vitest";
import { Publisher } from "../../../src/relay/publisher/publisher.ts";
import { PublisherSlots } from "../../../src/relay/publisher/publisher-slots.ts";
import type { IngestSlot } from "../../../src/thread-protocol/channel-spec.ts";

let count = 0;
function publisher(slot: IngestSlot = "main"): Publisher {
  count += 1;
  const description = { slot, remoteAddress: "192.0.2.1", encoder: "test", onDismissed: () => undefined };
  return new Publisher(count, description, 0, { nowMs: 0, awakeMs: 0 });
}

test("off air, the last encoder of a key displaces the one before it", () => {
  const slots = new PublisherSlots();
  const [first, second] = [publisher(), publisher()];
  expect(slots.add(first, undefined)).toEqual([]);
  expect(slots.add(second, undefined)).toEqual([first]);
  expect([slots.all(), slots.has(first), slots.latest("main")]).toEqual([[second], false, second]);
});

test("beside the encoder on air there is one newcomer, and the last newcomer displaces the one before it", () => {
  const slots = new PublisherSlots();
  const [onAir, newcomer, later] = [publisher(), publisher(), publisher()];
  slots.add(onAir, undefined);
  expect(slots.add(newcomer, onAir)).toEqual([]);
  expect([slots.all(), slots.latest("main")]).toEqual([[onAir, newcomer], newcomer]);
  expect(slots.add(later, onAir)).toEqual([newcomer]);
  expect([slots.all(), slots.has(onAir), slots.has(newcomer)]).toEqual([[onAir, later], true, false]);
});

test("a newcomer that goes on air replaces the encoder that was on air", () => {
  const slots = new PublisherSlots();
  const [onAir, newcomer] = [publisher(), publisher()];
  slots.add(onAir, undefined);
  slots.add(newcomer, onAir);
  expect(slots.goOnAir(newcomer)).toEqual([onAir]);
  expect(slots.all()).toEqual([newcomer]);
  expect(slots.goOnAir(newcomer)).toEqual([]);
});

test("when the other key goes on air, a newcomer of the key that leaves replaces the encoder it waited for", () => {
  const slots = new PublisherSlots();
  const [main, newcomer, backup] = [publisher(), publisher(), publisher("backup")];
  slots.add(main, undefined);
  slots.add(backup, main);
  slots.add(newcomer, main);
  expect(slots.all()).toEqual([main, backup, newcomer]);
  expect(slots.goOnAir(backup)).toEqual([main]);
  expect([slots.all(), slots.latest("main"), slots.latest("backup")]).toEqual([[newcomer, backup], newcomer, backup]);
});

test("an encoder of the other key does not displace the one on air", () => {
  const slots = new PublisherSlots();
  const [main, first, second] = [publisher(), publisher("backup"), publisher("backup")];
  slots.add(main, undefined);
  expect([slots.add(first, main), slots.add(second, main)]).toEqual([[], [first]]);
  expect(slots.all()).toEqual([main, second]);
});

test("when the encoder in the slot leaves, its newcomer stays; a newcomer that leaves changes nothing else", () => {
  const slots = new PublisherSlots();
  const [onAir, newcomer, later] = [publisher(), publisher(), publisher()];
  slots.add(onAir, undefined);
  slots.add(newcomer, onAir);
  slots.remove(newcomer);
  expect([slots.all(), slots.latest("main")]).toEqual([[onAir], onAir]);
  slots.add(later, onAir);
  slots.remove(onAir);
  expect([slots.all(), slots.has(later)]).toEqual([[later], true]);
  slots.remove(later);
  expect([slots.all(), slots.latest("main")]).toEqual([[], undefined]);
});

test("cleared slots hold no encoder", () => {
  const slots = new PublisherSlots();
  const [onAir, newcomer] = [publisher(), publisher()];
  slots.add(onAir, undefined);
  slots.add(newcomer, onAir);
  slots.clear();
  expect([slots.all(), slots.has(onAir), slots.has(newcomer)]).toEqual([[], false, false]);
});

test("every encoder that is not in a slot was displaced or left, once, in whatever order they come, go on air and leave", () => {
  const steps = fc.array(fc.record({ what: fc.constantFrom("come", "air", "leave"), pick: fc.nat(7) }), {
    maxLength: 40,
  });
  fc.assert(
    fc.property(steps, (all) => {
      const slots = new PublisherSlots();
      const gone: Publisher[] = [];
      const came: Publisher[] = [];
      let onAir: Publisher | undefined;
      for (const { what, pick } of all) {
        const present = slots.all();
        const chosen = present[pick % Math.max(1, present.length)];
        if (what === "come") {
          const next = publisher(pick % 2 === 0 ? "main" : "backup");
          came.push(next);
          gone.push(...slots.add(next, onAir));
        } else if (chosen !== undefined && what === "air") {
          gone.push(...slots.goOnAir(chosen));
          onAir = chosen;
        } else if (chosen !== undefined) {
          slots.remove(chosen);
          gone.push(chosen);
          if (onAir === chosen) onAir = undefined;
        }
        // At most one in each slot, and one newcomer for it.
        expect(slots.all().length).toBeLessThanOrEqual(4);
        expect(onAir === undefined || slots.has(onAir)).toBe(true);
      }
      expect(new Set(gone).size).toBe(gone.length);
      expect(new Set([...gone, ...slots.all()])).toEqual(new Set(came));
    }),
  );
});

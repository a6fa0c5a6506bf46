import { expect, test } from "vitest";
import type { Channel } from "../../web/src/base/model.ts";
import { lossOf } from "../../web/src/parts/alerts/loss.ts";

const sentence = { message: "m", messageKo: "k" };
type Health = Channel["health"];
const healthOf = (state: Health["state"], code?: NonNullable<Health["reason"]>["code"]): Health => ({
  ...{ state, reasonCount: code === undefined ? 0 : 1, nextStep: { ...sentence, code: "WAIT" } },
  ...(code === undefined ? {} : { reason: { ...sentence, code } }),
});
const FROM_SOURCE = { sourceKind: "pull" } as NonNullable<Channel["ingest"]>;

test("an alert of a lost broadcast names the source only with a reason that is the source's", () => {
  const unheard = { health: healthOf("attention", "SLOW"), ingest: FROM_SOURCE };
  expect(lossOf("connection-lost", unheard)).toEqual({ state: "broken", lostBy: "source" });
  const heard = { health: healthOf("broken", "CONNECTION_REFUSED") };
  expect(lossOf("connection-lost", heard)).toMatchObject({ lostBy: "source", reason: { code: "CONNECTION_REFUSED" } });
  expect(lossOf("connection-lost", { health: healthOf("broken", "SOURCE_FAILED") }).lostBy).toBe("stopped-source");
  expect(lossOf("connection-lost", { health: healthOf("waiting", "SOURCE_STARTING") }).lostBy).toBe("source");
  expect(lossOf("connection-lost", { health: healthOf("waiting", "WAITS_FOR_ENCODER") }).lostBy).toBe("encoder");
  expect(lossOf("server-lost", unheard).lostBy).toBe("server");
  expect(lossOf("connection-lost", undefined)).toEqual({ state: "broken", lostBy: "encoder" });
});

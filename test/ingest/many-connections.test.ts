import { expect, test } from "vitest";
import { listen, openConnection, publishTime } from "../support/stages/open-listener.ts";

test("1,000 connections that send nothing do not delay an encoder, of their address or another", async () => {
  const { port, tlsPort, facts } = await listen({ connectionsMax: 500 });
  const aloneMs = await publishTime(port, facts);
  const addresses = ["127.0.0.1", ...Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`)];
  const connections = Array.from({ length: 1_000 }, (_, index) =>
    openConnection(index % 2 === 0 ? port : tlsPort, addresses[index % addresses.length]),
  );
  await Promise.all(connections);
  const crowdedMs = await publishTime(port, facts);
  // A lower bound, since the first may take almost no time.
  expect(crowdedMs).toBeLessThan(5 * Math.max(aloneMs, 200));
  // The first encoder stays until the second one's keyframe takes its place.
  const ends = () => facts.flatMap((fact) => (fact.kind === "ingest-ended" ? [fact.end] : []));
  await expect.poll(ends).toEqual(["replaced"]);
  await expect
    .poll(() => facts.some((fact) => fact.kind === "ingest-refused" && fact.reason === "too-many-connections"))
    .toBe(true);
});

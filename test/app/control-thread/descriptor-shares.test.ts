import { expect, test } from "vitest";
import { descriptorShares, warnOfFew } from "../../../src/app/control-thread/descriptor-shares.ts";

test.each([
  [undefined, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  [64, 8, 4],
  [1_024, 488, 244],
  [524_288, 262_120, 131_060],
])("of %s descriptors encoders get %i and clients of the API %i", (limit, encoders, clients) => {
  expect(descriptorShares(limit)).toEqual({ encoders, clients });
});

test("few descriptors are reported at the start, plenty are not", () => {
  const lines: unknown[] = [];
  const write = (event: string, fields?: object) => void lines.push([event, fields]);
  const log = { debug: write, info: write, warn: write, error: write };
  for (const limit of [undefined, 8_192, 1_024]) warnOfFew(limit, log);
  expect(lines).toEqual([
    ["few file descriptors: raise the limit on open files", { limit: 1_024, encodersMax: 488, apiClientsMax: 244 }],
  ]);
});

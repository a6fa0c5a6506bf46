import { expect, test } from "vitest";
import { samplingOf } from "../../../src/app/config/trace-sampling.ts";

const otlpEndpoint = "http://127.0.0.1:4318";
const given = { tracesDisabled: false, traceSamplerArg: 0.25 };

test.each([
  ["parentbased_always_on", { share: 1, followsParent: true }],
  ["parentbased_always_off", { share: 0, followsParent: true }],
  ["parentbased_traceidratio", { share: 0.25, followsParent: true }],
  ["always_on", { share: 1, followsParent: false }],
  ["always_off", undefined],
  ["traceidratio", { share: 0.25, followsParent: false }],
] as const)("OTEL_TRACES_SAMPLER=%s", (traceSampler, sampling) => {
  expect(samplingOf({ ...given, otlpEndpoint, traceSampler })).toEqual(sampling);
});

test("nothing is traced without a receiver, and where traces are disabled", () => {
  const traceSampler = "always_on";
  expect(samplingOf({ ...given, otlpEndpoint, traceSampler, tracesDisabled: true })).toBeUndefined();
  expect(samplingOf({ ...given, traceSampler })).toBeUndefined();
});

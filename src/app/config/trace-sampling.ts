import type { Sampling } from "../../thread-protocol/traces/traces.ts";
import type { Config } from "./settings/settings.ts";

/** Which traces are recorded, as the settings say; undefined: none, and nothing is traced. */
export function samplingOf({
  otlpEndpoint,
  tracesDisabled,
  traceSampler,
  traceSamplerArg,
}: Pick<Config, "otlpEndpoint" | "tracesDisabled" | "traceSampler" | "traceSamplerArg">): Sampling | undefined {
  if (otlpEndpoint === undefined || tracesDisabled || traceSampler === "always_off") return undefined;
  const [, parent, kind] = /^(parentbased_)?(.*)$/.exec(traceSampler) ?? [];
  const share = kind === "traceidratio" ? traceSamplerArg : kind === "always_on" ? 1 : 0;
  return { share, followsParent: parent !== undefined };
}

import type { Admission } from "../../../src/ingest/publish/publish-session.ts";
import type { LoginDeps } from "../../../src/ingest/rtmp/ingest-logins.ts";
import type { Engine } from "../../../src/relay/engine.ts";
import { gatewayTo } from "../../../src/relay/publish-gateway.ts";
import type { ChannelSpec, IngestSlot } from "../../../src/thread-protocol/channel-spec.ts";

/** A test's reply about a key: a channel of its engine, or a refusal. */
export type Verdict =
  | { readonly spec: ChannelSpec; readonly slot: IngestSlot }
  | Exclude<Admission, { readonly gateway: unknown }>;

export function admissionTo(engine: Engine, verdict: Verdict): Admission {
  if (typeof verdict === "string" || "refusedFor" in verdict) return verdict;
  return { gateway: gatewayTo(engine, verdict.spec, verdict.slot), slot: verdict.slot };
}

/** The logins of a listener whose encoders never log in. */
export const NO_LOGINS: Pick<LoginDeps, "findUser" | "challenges"> = {
  findUser: async () => ({ isFirstUse: true }),
  challenges: { secrets: [Buffer.alloc(32)], now: () => 0, skewMs: 0 },
};

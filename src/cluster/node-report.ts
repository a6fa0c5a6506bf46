import { z } from "zod";
import type { NodeLoad } from "../control/ports/nodes.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";

/** What a node says about itself every two seconds. */
export type NodeReport = {
  readonly nodeId: string;
  readonly state: "serving" | "draining";
  readonly version: string;
  /** The number of its last message about its channels. */
  readonly no: number;
  readonly load: NodeLoad;
};

const count = z.number().min(0);
const report = z.looseObject({
  nodeId: z.string().max(255),
  state: z.enum(["serving", "draining"]),
  version: z.string().max(64),
  no: z.int().min(0),
  load: z.looseObject({
    channels: count,
    egressBitsPerSecond: count,
    capacityBitsPerSecond: count.optional(),
    loopDelayMs: count,
    relayed: count,
    drainEndTime: count.optional(),
  }),
});

/** Whether another node's message has this form. */
export function isNodeReport(value: unknown): value is NodeReport {
  return report.safeParse(value).success;
}

/** The number of a message about channels; undefined where there is none. */
export function messageNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** Subjects of one node. */
export function subjectsOf(incarnation: Incarnation) {
  const node = `node.${incarnation}`;
  return {
    heartbeat: `${node}.hb`,
    state: `${node}.state`,
    samples: `${node}.samples`,
    events: `${node}.events`,
    rpc: `${node}.rpc`,
  } as const;
}

/** The node that a subject belongs to; undefined for one that is no node's. */
export function incarnationOf(subject: string): Incarnation | undefined {
  const [, digits] = /^node\.([1-9]\d{0,14})\.[a-z]+$/.exec(subject) ?? [];
  return digits === undefined ? undefined : Number(digits);
}

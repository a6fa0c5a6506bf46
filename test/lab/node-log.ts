import { z } from "zod";
import type { LabNode } from "../support/cluster/lab-node.ts";

const line = z.looseObject({ time: z.iso.datetime(), event: z.string(), channelId: z.string().optional() });

export type NodeLine = { readonly atMs: number; readonly event: string };

/** What a node has logged about a channel since then, with milliseconds since the Unix epoch. */
export function linesOf({ fanfare }: LabNode, channelId: string, sinceMs: number): readonly NodeLine[] {
  return fanfare.output.split("\n").flatMap((text) => {
    if (!text.includes(channelId)) return [];
    const read = line.safeParse(jsonOf(text));
    if (!read.success || read.data.channelId !== channelId) return [];
    const atMs = Date.parse(read.data.time);
    return atMs < sinceMs ? [] : [{ atMs, event: read.data.event }];
  });
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import type { TargetBehaviour } from "../../../src/testkit/target/target-behaviour.ts";
import type { NewPlatform } from "../dashboard/api-client.ts";
import { waitFor } from "../processes/waiting.ts";
import { type Stage, uniqueKey } from "../stages/stage.ts";

const DEADLINE_MS = 20_000;
/** More than any broadcast of these tests has. */
const MESSAGES_MAX = 10_000;

/** A target's place in the channel, and the target. */
export type Receiver = { readonly target: KitTarget; readonly platform: NewPlatform };

/** A target that records what it is sent. */
export async function receiver(
  stage: Stage,
  more: Partial<NewPlatform> = {},
  behaviour: TargetBehaviour = {},
): Promise<Receiver> {
  const streamKey = uniqueKey("receiver");
  const recordInto = join(stage.folder, streamKey);
  await mkdir(recordInto);
  const target = await stage.target(behaviour, { recordInto, messagesMax: MESSAGES_MAX });
  return { target, platform: { rtmpUrl: target.url, streamKey, ...more } };
}

/** Messages that came on a target's first connection so far. */
export function messageCount({ target }: Receiver): number {
  return target.connections[0]?.report.messages.length ?? 0;
}

/** Waits until a target got so much media on its first connection, in milliseconds of that connection's time. */
export async function waitForMedia(which: Receiver, milliseconds: number): Promise<void> {
  const cameMs = () => which.target.connections[0]?.report.messages.at(-1)?.timestamp ?? -1;
  await waitFor(
    `${milliseconds} ms of media`,
    DEADLINE_MS,
    () => cameMs() >= milliseconds || undefined,
    () => `${cameMs()} ms came`,
  );
}

/** The FLV file of everything that a target got, on its one connection; waits for the end of that. */
export async function recordingOf({ target }: Receiver): Promise<string> {
  expect(target.connections).toHaveLength(1);
  const report = await target.connections[0]?.closed;
  const [path] = report?.recordings ?? [];
  if (path === undefined) throw new Error("nothing was recorded");
  return path;
}

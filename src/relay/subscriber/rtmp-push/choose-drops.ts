import type { Packet } from "../../stream/packet.ts";

/** The fields of a waiting packet that the choice uses. */
export type WaitingPacket = Pick<
  Packet,
  "kind" | "isConfig" | "isKeyframe" | "trackId" | "startsTrack" | "timeMs" | "arrivalMs" | "start" | "end"
>;

export type SendQueueLimits = {
  /** Chunk bytes that may wait. */
  readonly bytesMax: number;
  /** How long media may wait, in milliseconds: by its own time, and by its arrival. */
  readonly timeMaxMs: number;
};

export type Drops<Waiting extends WaitingPacket> = {
  /** What still waits, in order. */
  readonly kept: readonly Waiting[];
  /** What is lost, in the order of the choice: video before audio. */
  readonly lost: readonly Waiting[];
  readonly cause: "overBytes" | "overTime";
  /** No GOP is left to continue with: video may follow only from the next keyframe on. */
  readonly needsKeyframe: boolean;
  /** Video tracks that can be decoded from what is kept; the default one among them. */
  readonly tracks: Set<number>;
};

/**
 * Chooses what a send queue above its limits loses. Video goes first: all before the last waiting keyframe, or all of
 * it where that is not enough. If the queue is still above its limits it loses its oldest audio. Config (headers,
 * metadata) is never lost.
 */
export function chooseDrops<Waiting extends WaitingPacket>(
  waiting: readonly Waiting[],
  limits: SendQueueLimits,
): Drops<Waiting> {
  const lost: Waiting[] = [];
  const cause = bytesOf(waiting) > limits.bytesMax ? "overBytes" : "overTime";
  const keyframeAt = waiting.findLastIndex(({ isKeyframe }) => isKeyframe);
  const isGroupKept = keyframeAt > 0 && !isOver(waiting.slice(keyframeAt), limits);
  const videoFrom = isGroupKept ? keyframeAt : waiting.length;
  const tracks = new Set([0]);
  let kept = waiting.filter((packet, index) => {
    if (!isVideoFrame(packet)) return true;
    if (index >= videoFrom && packet.startsTrack) tracks.add(packet.trackId);
    if (index >= videoFrom && tracks.has(packet.trackId)) return true;
    lost.push(packet);
    return false;
  });
  if (isOver(kept, limits)) kept = withoutOldAudio(kept, limits, lost);
  return { kept, lost, cause, needsKeyframe: !isGroupKept && waiting.some(isVideoFrame), tracks };
}

function withoutOldAudio<Waiting extends WaitingPacket>(
  waiting: readonly Waiting[],
  { bytesMax, timeMaxMs }: SendQueueLimits,
  lost: Waiting[],
): Waiting[] {
  const last = waiting[waiting.length - 1];
  let bytes = bytesOf(waiting);
  return waiting.filter((packet) => {
    const isOld = lagMs(packet, last) > timeMaxMs || bytes > bytesMax;
    if (packet.kind !== "audio" || packet.isConfig || !isOld) return true;
    bytes -= packet.end - packet.start;
    lost.push(packet);
    return false;
  });
}

function isOver(waiting: readonly WaitingPacket[], { bytesMax, timeMaxMs }: SendQueueLimits): boolean {
  return bytesOf(waiting) > bytesMax || waitingMsOf(waiting) > timeMaxMs;
}

/** How far the first of these is behind the last, in milliseconds. `from`: index of the first. */
export function waitingMsOf(packets: readonly WaitingPacket[], from = 0): number {
  // Config is kept however long it waits, so it does not show how far behind a target is.
  let first = from;
  while (packets[first]?.isConfig === true) first += 1;
  return lagMs(packets[first], packets[packets.length - 1]);
}

/** How far one packet is behind another, in milliseconds: by its time or by its arrival, whichever is less. */
function lagMs(first: WaitingPacket | undefined, last: WaitingPacket | undefined): number {
  if (first === undefined || last === undefined) return 0;
  return Math.min(last.timeMs - first.timeMs, last.arrivalMs - first.arrivalMs);
}

export function isVideoFrame({ kind, isConfig }: WaitingPacket): boolean {
  return kind === "video" && !isConfig;
}

function bytesOf(packets: readonly WaitingPacket[]): number {
  return packets.reduce((sum, { start, end }) => sum + end - start, 0);
}

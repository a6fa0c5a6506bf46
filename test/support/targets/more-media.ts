import { waitFor } from "../processes/waiting.ts";

const DEADLINE_MS = 60_000;

/** Resolves when each of these counts of bytes is so much more than now. `describe`: what a failing test shows. */
export async function moreMedia(media: () => readonly number[], bytes: number, describe?: () => string): Promise<void> {
  const before = media();
  const isMore = () => media().every((now, index) => now >= (before[index] ?? 0) + bytes);
  const text = () => `${before} before, ${media()} now; ${describe?.() ?? ""}`;
  await waitFor(`${bytes} bytes more of media`, DEADLINE_MS, () => isMore() || undefined, text);
}

import { signal } from "@preact/signals";
import { at } from "../../base/base-path.ts";
import { now } from "../../base/clock.ts";
import { isStale } from "../../live/store.ts";
import { type Drawn, drawKeyframe } from "./draw-keyframe.ts";

/** One keyframe of a channel at most every so often, in milliseconds. */
const EVERY_MS = 10_000;
/** All visible thumbnails together ask this far apart on average, in milliseconds: a screenful costs no more than a few. */
const APART_MS = 700;
/** So many requests run at a time. */
const AT_A_TIME_MAX = 3;
/** How often it is looked for due thumbnails, in milliseconds. */
const LOOK_MS = 1_000;
/** A frame that is older than one interval and this is shown as old, in seconds: encoders send keyframes up to 10 s apart. */
const OLD_SECONDS = 20;

export type ThumbnailState = Drawn | { readonly kind: "empty" | "none" };

/** Thumbnails on the page that are visible. */
const visible = new Set<Thumbnail>();
let runningCount = 0;
let timer: ReturnType<typeof setInterval> | undefined;

/** How long one thumbnail waits for its next keyframe, in milliseconds. */
const intervalMs = (): number => Math.max(EVERY_MS, visible.size * APART_MS);

/** One canvas that shows a channel's last keyframe. It asks only while it is visible, the tab is shown and the server is there. */
export class Thumbnail {
  readonly state = signal<ThumbnailState>({ kind: "empty" });
  /** How old the frame is, in seconds, where that is old. */
  readonly oldSeconds = signal<number | undefined>(undefined);
  readonly #path: string;
  readonly #canvas: HTMLCanvasElement;
  #etag: string | undefined;
  #time = 0;
  #askedMs = Number.NEGATIVE_INFINITY;
  #isAsking = false;

  constructor(channelId: string, canvas: HTMLCanvasElement) {
    this.#path = at(`/api/v2/re-stream/channels/${encodeURIComponent(channelId)}/keyframe`);
    this.#canvas = canvas;
  }

  /** Whether it may ask now. */
  isDue(nowMs: number): boolean {
    return !this.#isAsking && nowMs - this.#askedMs >= intervalMs();
  }

  async refresh(nowMs: number): Promise<void> {
    this.#askedMs = nowMs;
    this.#isAsking = true;
    try {
      await this.#read();
    } catch {
      // The next turn asks again: what is shown grows old meanwhile.
    } finally {
      this.#isAsking = false;
    }
  }

  async #read(): Promise<void> {
    const headers = this.#etag === undefined ? {} : { "If-None-Match": this.#etag };
    const response = await fetch(this.#path, { headers, signal: AbortSignal.timeout(EVERY_MS) });
    if (response.status === 409) {
      this.#etag = undefined;
      this.state.value = { kind: "none" };
    }
    if (response.status !== 200) return;
    const file = new Uint8Array(await response.arrayBuffer());
    this.state.value = await drawKeyframe(file, this.#canvas);
    this.#etag = response.headers.get("etag") ?? undefined;
    this.#time = Date.parse(response.headers.get("last-modified") ?? "");
    this.age();
  }

  /** Finds out how old the frame is, by the server's clock. */
  age(): void {
    const seconds = Math.floor((now.peek() - this.#time) / 1_000);
    const isOld = this.state.peek().kind === "drawn" && seconds >= OLD_SECONDS + intervalMs() / 1_000;
    this.oldSeconds.value = isOld ? seconds - (seconds % 10) : undefined;
  }
}

/** Where elements come into view, and out of it. */
const observer = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      const thumbnail = watched.get(target);
      if (thumbnail === undefined) continue;
      if (isIntersecting) visible.add(thumbnail);
      else visible.delete(thumbnail);
    }
    look();
  },
  { rootMargin: "100px" },
);
const watched = new Map<Element, Thumbnail>();

/** Keeps a thumbnail up to date while its element is in view. The returned function stops that. */
export function watch(thumbnail: Thumbnail, element: Element): () => void {
  watched.set(element, thumbnail);
  observer.observe(element);
  timer ??= setInterval(look, LOOK_MS);
  return () => {
    observer.unobserve(element);
    watched.delete(element);
    visible.delete(thumbnail);
    if (watched.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function look(): void {
  if (document.hidden || isStale.peek()) return;
  const nowMs = performance.now();
  for (const thumbnail of visible) {
    thumbnail.age();
    if (runningCount >= AT_A_TIME_MAX || !thumbnail.isDue(nowMs)) continue;
    runningCount += 1;
    void thumbnail.refresh(nowMs).finally(() => {
      runningCount -= 1;
      look();
    });
  }
}

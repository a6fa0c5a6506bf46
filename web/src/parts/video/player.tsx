import { useSignal } from "@preact/signals";
import mpegts from "mpegts.js";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { panelTexts, t } from "../../text/text.ts";
import { type AudioGraph, newAudioGraph } from "./audio-graph.ts";
import { AudioMeter } from "./audio-meter.tsx";

/** `full`: as many as may watch do. `failed`: it cannot be played, or has ended. */
export type PlayerProblem = "full" | "failed";

type PlayerOptions = {
  readonly url: string;
  readonly onProblem: (problem: PlayerProblem) => void;
  readonly onStop: () => void;
  /** The encoder is lost: the preview has the last frame and silence. */
  readonly isHeld: boolean;
};

/** Plays the FLV stream at this address, muted at first, with the smallest delay, and measures its audio. */
export function Player({ url, onProblem, onStop, isHeld }: PlayerOptions) {
  const element = useRef<HTMLVideoElement>(null);
  useEffect(() => (element.current === null ? undefined : play(element.current, url, onProblem)), [url]);
  return (
    <>
      <span class="thumb">
        <video ref={element} muted playsInline aria-label={t().encoder.previewLabel} />
        <span class={isHeld ? "thumb-mark" : ""} role="status">
          {isHeld && panelTexts().video.heldSilence}
        </span>
      </span>
      <Sound video={element}>
        <button type="button" onClick={() => void element.current?.requestFullscreen()}>
          {panelTexts().video.fullScreen}
        </button>
        <button type="button" onClick={onStop}>
          {t().encoder.stopPreview}
        </button>
      </Sound>
    </>
  );
}

/** Returns what ends it. */
function play(video: HTMLVideoElement, url: string, onProblem: (problem: PlayerProblem) => void): () => void {
  /** Closed, or its first problem was told: others follow from that. */
  let isClosed = false;
  const fail = (problem: PlayerProblem): void => {
    if (isClosed) return;
    isClosed = true;
    onProblem(problem);
  };
  const player = mpegts.createPlayer(
    { type: "flv", isLive: true, url: new URL(url, location.href).href },
    { enableWorker: false, liveBufferLatencyChasing: true, lazyLoad: false },
  );
  player.on(mpegts.Events.ERROR, (_type: string, _detail: string, info: { readonly code?: number } | undefined) =>
    fail(info?.code === 429 ? "full" : "failed"),
  );
  player.on(mpegts.Events.LOADING_COMPLETE, () => fail("failed"));
  player.attachMediaElement(video);
  player.load();
  player.play()?.catch(() => fail("failed"));
  return () => {
    isClosed = true;
    player.destroy();
  };
}

const GESTURES = ["pointerdown", "keydown"] as const;

type SoundOptions = {
  readonly video: { readonly current: HTMLVideoElement | null };
  /** Buttons beside its own. */
  readonly children: ComponentChildren;
};

/** The meter of the preview's audio and its switch. Browsers measure audio only after a person did something on the page. */
function Sound({ video, children }: SoundOptions) {
  const graph = useSignal<AudioGraph | undefined>(undefined);
  const isMuted = useSignal(true);
  useEffect(() => {
    const open = (): void => {
      if (graph.peek() === undefined && video.current !== null) graph.value = newAudioGraph(video.current);
    };
    if (navigator.userActivation?.hasBeenActive !== false) open();
    else for (const gesture of GESTURES) addEventListener(gesture, open, { once: true });
    return () => {
      for (const gesture of GESTURES) removeEventListener(gesture, open);
      graph.peek()?.close();
    };
  }, [graph, video]);
  const turn = (): void => {
    isMuted.value = !isMuted.value;
    graph.value?.setMuted(isMuted.value);
  };
  return (
    <div class="preview-below">
      <div class="level">
        {graph.value === undefined ? (
          <p class="quiet">{panelTexts().video.noLevelYet}</p>
        ) : (
          <AudioMeter graph={graph.value} />
        )}
      </div>
      <div class="buttons">
        {/* From the beginning: the first press on the page opens the graph, and no button may move under it. */}
        <button type="button" onClick={turn}>
          {isMuted.value ? panelTexts().video.listen : panelTexts().video.mute}
        </button>
        {children}
      </div>
    </div>
  );
}

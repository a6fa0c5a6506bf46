import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Channel } from "../../base/model.ts";
import { isStale } from "../../live/store.ts";
import { panelTexts } from "../../text/text.ts";
import { Thumbnail, type ThumbnailState, watch } from "./thumbnails.ts";

type ThumbnailOptions = {
  readonly channel: Channel;
  /** Of the drawing, in pixels. */
  readonly width: number;
  /** A picture of its own, with a name; else it is part of a link that has one. */
  readonly isNamed?: boolean;
};

/** The last keyframe of a channel on air, or why there is none. */
export function ThumbnailOf({ channel, width, isNamed = false }: ThumbnailOptions) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const thumbnail = useSignal<Thumbnail | undefined>(undefined);
  const { channelId } = channel;
  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const made = new Thumbnail(channelId, element);
    thumbnail.value = made;
    return watch(made, element);
  }, [channelId, thumbnail]);
  const state = thumbnail.value?.state.value ?? { kind: "empty" };
  const oldSeconds = thumbnail.value?.oldSeconds.value;
  const problem = problemOf(state);
  const mark =
    channel.ingest?.state === "HELD"
      ? panelTexts().video.held
      : oldSeconds === undefined
        ? ""
        : panelTexts().video.age(oldSeconds);
  return (
    <span class="thumb" data-state={state.kind} data-old={oldSeconds !== undefined || isStale.value}>
      <canvas
        ref={canvas}
        width={width}
        height={(width * 9) / 16}
        {...(isNamed ? { role: "img", "aria-label": panelTexts().video.lastFrame } : { "aria-hidden": "true" })}
      />
      {problem !== undefined && <span class="thumb-problem">{problem}</span>}
      {problem === undefined && mark !== "" && <span class="thumb-mark">{mark}</span>}
    </span>
  );
}

function problemOf(state: ThumbnailState): string | undefined {
  switch (state.kind) {
    case "undecodable":
      return panelTexts().video.undecodable(state.codec);
    case "none":
      return panelTexts().video.none;
    default:
      return undefined;
  }
}

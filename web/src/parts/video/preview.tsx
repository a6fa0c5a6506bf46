import { useSignal } from "@preact/signals";
import { call, channelPath } from "../../base/api.ts";
import type { Channel } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { lazy } from "../basic/lazy.tsx";
import { ThumbnailOf } from "./thumbnail.tsx";

const Player = lazy(async () => (await import("./player.tsx")).Player);
/** Of the drawing, in pixels. */
const THUMBNAIL_WIDTH = 640;

/** Plays the incoming stream on demand, and shows its last keyframe else. The player is loaded only then. */
export function Preview({ channel }: { readonly channel: Channel }) {
  const url = useSignal<string | undefined>(undefined);
  if (url.value === undefined) {
    const start = async (): Promise<void> => {
      const path = `${channelPath(channel.channelId)}/preview-token`;
      url.value = (await call<{ readonly url: string }>("POST", path)).url;
    };
    return (
      <div class="preview">
        <ThumbnailOf channel={channel} width={THUMBNAIL_WIDTH} isNamed />
        <Action run={start}>{t().encoder.startPreview}</Action>
      </div>
    );
  }
  return (
    <div class="preview">
      <Player url={url.value} />
      <button type="button" onClick={() => (url.value = undefined)}>
        {t().encoder.stopPreview}
      </button>
    </div>
  );
}

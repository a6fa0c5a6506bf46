import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import { keep, recall } from "../../base/kept.ts";
import type { Channel } from "../../base/model.ts";
import { isStale, returns } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { lazy, PicturePlace } from "../basic/lazy.tsx";
import type { PlayerProblem } from "./player.tsx";
import { ThumbnailOf } from "./thumbnail.tsx";

const loadPlayer = async () => (await import("./player.tsx")).Player;
const Player = lazy(loadPlayer, { Meanwhile: PlayerPlace });
/** Of the drawing, in pixels. */
const THUMBNAIL_WIDTH = 640;
const KEPT_AS = "fanfare-preview";
const CLOSED = "closed";
/** A tab that is hidden for longer gives its place to others, in milliseconds. */
const HIDDEN_MS_MAX = 60_000;

/** Whether the preview is open, as this browser last had it. */
const isWanted = signal(recall(KEPT_AS) !== CLOSED);
/** The tab has been hidden for long. */
const isAway = signal(false);

let awayTimer: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(awayTimer);
  if (document.hidden) awayTimer = setTimeout(() => (isAway.value = true), HIDDEN_MS_MAX);
  else isAway.value = false;
});

function want(isOpen: boolean): void {
  keep(KEPT_AS, isOpen ? "" : CLOSED);
  isWanted.value = isOpen;
}

/** The incoming stream as it is sent, unless a person closed it: then its last keyframe. */
export function Preview({ channel }: { readonly channel: Channel }) {
  // Another broadcast, or a server that is back, is tried anew.
  const key = `${channel.channelId} ${channel.recentPublishStartTime} ${returns.value}`;
  return <PreviewOfBroadcast key={key} channel={channel} />;
}

function PreviewOfBroadcast({ channel }: { readonly channel: Channel }) {
  const problem = useSignal<PlayerProblem | undefined>(undefined);
  if (isWanted.value && problem.value === undefined && !isAway.value && !isStale.value) {
    return <OpenPreview channel={channel} onProblem={(found) => (problem.value = found)} />;
  }
  const open = (): void => {
    problem.value = undefined;
    want(true);
  };
  return (
    <div class="preview">
      <ThumbnailOf channel={channel} width={THUMBNAIL_WIDTH} isNamed />
      <div class="preview-below">
        {problem.value !== undefined && (
          <p class="quiet" role="status">
            {problem.value === "full" ? panelTexts().video.full : t().encoder.previewFailed}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={open}>
            {t().encoder.startPreview}
          </button>
        </div>
      </div>
    </div>
  );
}

function PlayerPlace() {
  return (
    <>
      <PicturePlace />
      <div class="preview-below" />
    </>
  );
}

type OpenPreviewOptions = {
  readonly channel: Channel;
  readonly onProblem: (problem: PlayerProblem) => void;
};

function OpenPreview({ channel, onProblem }: OpenPreviewOptions) {
  const { channelId, ingest } = channel;
  const url = useSignal<string | undefined>(undefined);
  useEffect(() => {
    let isClosed = false;
    content(api.POST("/re-stream/channels/{channelId}/preview-token", ofChannel(channelId))).then(
      (token) => {
        url.value = token.url;
      },
      () => {
        if (!isClosed) onProblem("failed");
      },
    );
    return () => {
      isClosed = true;
    };
  }, [channelId]);
  return (
    <div class="preview">
      {url.value === undefined ? (
        <PlayerPlace />
      ) : (
        <Player url={url.value} onProblem={onProblem} onStop={() => want(false)} isHeld={ingest?.state === "HELD"} />
      )}
    </div>
  );
}

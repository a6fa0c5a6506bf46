import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { call, channelPath } from "../api.ts";
import { t } from "../text/text.ts";
import { Action } from "./action.tsx";

/** The broadcast as it comes in, on demand: the player is loaded only then. */
export function Preview({ channelId }: { readonly channelId: string }) {
  const url = useSignal<string | undefined>(undefined);
  if (url.value === undefined) {
    const start = async (): Promise<void> => {
      url.value = (await call<{ readonly url: string }>("POST", `${channelPath(channelId)}/preview-token`)).url;
    };
    return <Action run={start}>{t().encoder.startPreview}</Action>;
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

function Player({ url }: { readonly url: string }) {
  const element = useRef<HTMLVideoElement>(null);
  const hasFailed = useSignal(false);
  useEffect(() => {
    let stop = (): void => undefined;
    let isLeft = false;
    const start = async (): Promise<void> => {
      const { default: mpegts } = await import("mpegts.js");
      if (isLeft || element.current === null) return;
      const player = mpegts.createPlayer(
        { type: "flv", isLive: true, url: new URL(url, location.href).href },
        { enableWorker: false, liveBufferLatencyChasing: true, lazyLoad: false },
      );
      stop = () => player.destroy();
      player.on(mpegts.Events.ERROR, () => {
        hasFailed.value = true;
      });
      player.attachMediaElement(element.current);
      player.load();
      await player.play();
    };
    start().catch(() => {
      if (!isLeft) hasFailed.value = true;
    });
    return () => {
      isLeft = true;
      stop();
    };
  }, [url, hasFailed]);
  return (
    <>
      <video ref={element} muted controls playsInline aria-label={t().encoder.previewLabel} />
      {hasFailed.value && (
        <p class="problem" role="alert">
          {t().encoder.previewFailed}
        </p>
      )}
    </>
  );
}

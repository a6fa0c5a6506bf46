import { useSignal } from "@preact/signals";
import mpegts from "mpegts.js";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../text/text.ts";

/** Plays the FLV stream at this address, muted at first, with the smallest delay. */
export function Player({ url }: { readonly url: string }) {
  const element = useRef<HTMLVideoElement>(null);
  const hasFailed = useSignal(false);
  useEffect(() => {
    if (element.current === null) return;
    let isClosed = false;
    const fail = (): void => {
      if (!isClosed) hasFailed.value = true;
    };
    const player = mpegts.createPlayer(
      { type: "flv", isLive: true, url: new URL(url, location.href).href },
      { enableWorker: false, liveBufferLatencyChasing: true, lazyLoad: false },
    );
    player.on(mpegts.Events.ERROR, fail);
    player.attachMediaElement(element.current);
    player.load();
    player.play()?.catch(fail);
    return () => {
      isClosed = true;
      player.destroy();
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

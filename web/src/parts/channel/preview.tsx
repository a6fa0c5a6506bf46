import { useSignal } from "@preact/signals";
import { call, channelPath } from "../../base/api.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { lazy } from "../basic/lazy.tsx";

const Player = lazy(async () => (await import("./player.tsx")).Player);

/** Plays the incoming stream on demand. The player is loaded only then. */
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

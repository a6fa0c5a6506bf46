import { useSignal } from "@preact/signals";
import { api, content, ofPlatform } from "../../base/api.ts";
import type { Platform } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { formatDuration } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";
import { Confirm } from "../basic/confirm.tsx";
import { optionalLabel, TextField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { noteText, say } from "../basic/notice.tsx";
import { State } from "../basic/state.tsx";

const DELAY_SECONDS_MAX = 900;

/** How much later than the stream a platform gets it. */
export function DelayField({ platform }: { readonly platform: Platform | undefined }) {
  return (
    <TextField
      label={optionalLabel(panelTexts().delay.seconds)}
      name="delaySeconds"
      help={panelTexts().delay.secondsHelp}
      value={platform?.delaySeconds?.toString() ?? "0"}
      input={{ type: "number", min: 0, max: DELAY_SECONDS_MAX, step: 1, inputMode: "numeric" }}
    />
  );
}

type DelayOptions = { readonly channelId: string; readonly platform: Platform };

/** What waits of a platform's stream, and the way to drop it. */
export function Delay({ channelId, platform }: DelayOptions) {
  const { delay, platId } = platform;
  const isAsked = useSignal(false);
  if (delay === undefined) return null;
  const texts = panelTexts().delay;
  const [current, buffered] = [formatDuration(delay.currentSeconds), formatDuration(delay.bufferedSeconds)];
  const word = delay.state === "LIVE" ? texts.states.LIVE : `${texts.states[delay.state]} ${buffered}`;
  const cut = async (): Promise<void> => {
    const path = "/re-stream/channels/{channelId}/platforms/{platformId}/cut-delay";
    await showPlatform(channelId, content(api.PUT(path, ofPlatform(channelId, platId))));
    say(texts.cutDone);
  };
  return (
    <>
      <div class="platform-delay">
        <span title={texts.help(current, buffered)}>
          <State look={{ tone: "calm", icon: "dot", word }} />
        </span>
        {delay.state !== "LIVE" && (
          <button type="button" onClick={() => (isAsked.value = true)}>
            {texts.cut}
          </button>
        )}
      </div>
      {delay.problem !== undefined && (
        <div class="test-result tone-bad">
          <Icon name="alert" />
          <p>{noteText(delay.problem)}</p>
        </div>
      )}
      {isAsked.value && (
        <Confirm title={texts.cut} text={texts.cutSure} run={cut} onClose={() => (isAsked.value = false)} />
      )}
    </>
  );
}

import { call, platformPath } from "../../base/api.ts";
import type { Platform } from "../../base/model.ts";
import { showPlatform } from "../../live/store.ts";
import { formatDuration } from "../../text/format.ts";
import { language } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { optionalLabel, TextField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";
import { say } from "../basic/notice.tsx";
import { State } from "../basic/state.tsx";
import { words } from "./words.ts";

const DELAY_SECONDS_MAX = 900;

/** How much later than the stream a platform gets it. */
export function DelayField({ platform }: { readonly platform: Platform | undefined }) {
  return (
    <TextField
      label={optionalLabel(words().seconds)}
      name="delaySeconds"
      help={words().secondsHelp}
      value={platform?.delaySeconds?.toString() ?? "0"}
      input={{ type: "number", min: 0, max: DELAY_SECONDS_MAX, step: 1, inputMode: "numeric" }}
    />
  );
}

type DelayOptions = { readonly channelId: string; readonly platform: Platform };

/** What waits of a platform's stream, and the way to drop it. */
export function Delay({ channelId, platform }: DelayOptions) {
  const { delay, platId } = platform;
  if (delay === undefined) return null;
  const texts = words();
  const [current, buffered] = [formatDuration(delay.currentSeconds), formatDuration(delay.bufferedSeconds)];
  const word = delay.state === "LIVE" ? texts.states.LIVE : `${texts.states[delay.state]} ${buffered}`;
  const cut = async (): Promise<void> => {
    showPlatform(channelId, await call("PUT", `${platformPath(channelId, platId)}/cut-delay`));
    say(texts.cutDone);
  };
  return (
    <>
      <span title={texts.help(current, buffered)}>
        <State look={{ tone: "calm", icon: "dot", word }} />
      </span>
      {delay.state !== "LIVE" && (
        <span title={texts.cutHelp}>
          {" "}
          <Action run={cut}>{texts.cut}</Action>
        </span>
      )}
      {delay.problem !== undefined && (
        <div class="test-result tone-bad">
          <Icon name="alert" />
          <p>{language.value === "ko" ? delay.problem.messageKo : delay.problem.message}</p>
        </div>
      )}
    </>
  );
}

import type { HealthState } from "../../base/health.ts";
import type { Channel, Platform } from "../../base/model.ts";
import { t } from "../../text/text.ts";
import { Icon, type IconName } from "./icon.tsx";

/** How a state looks: always a colour, an icon and a word. */
type Tone = "good" | "busy" | "bad" | "calm" | "off" | "held";

type Look = { readonly tone: Tone; readonly icon: IconName; readonly word: string };

/** The look of a platform of this channel. In a channel that is disabled, none waits for an encoder. */
export function platformLook(platform: Platform, channel: Channel): Look {
  if (!platform.enabled || platform.windowState === "CLOSED")
    return { tone: "off", icon: "off", word: t().switchedOff };
  if (isBlocked(channel) && platform.connectStatus === "READY") {
    return { tone: "off", icon: "block", word: t().channelStatus.blocked };
  }
  const chosen = channel.isPublishing ? channel.ingest?.testPattern?.platIds : undefined;
  if (chosen?.includes(platform.platId) === false) {
    return { tone: "off", icon: "dot", word: t().testPattern.notChosen };
  }
  const word = t().connectStatus[platform.connectStatus];
  switch (platform.connectStatus) {
    case "PUBLISHING":
      return warningLook(platform) ?? { tone: "good", icon: "check", word };
    case "CONNECTING":
      return { tone: "busy", icon: "spinner", word };
    case "FAIL":
      return { tone: "bad", icon: "alert", word };
    default:
      // It waits for the encoder, or for its delay.
      return { tone: "calm", icon: "dot", word: channel.isPublishing ? t().platform.waits : word };
  }
}

/** The look of a platform that is on air with a warning. */
function warningLook({ warning }: Platform): Look | undefined {
  const look = { tone: "busy", icon: "alert" } as const;
  switch (warning?.code) {
    case "WAITS_FOR_KEYFRAME":
      return { ...look, word: t().platform.waitsForKeyframe };
    case "WAITS_FOR_MEDIA":
      return { ...look, word: t().platform.waitsForMedia };
    case "SLOW":
      return { ...look, word: t().platform.slow };
    default:
      return undefined;
  }
}

const isBlocked = ({ channelStatus }: Channel): boolean => channelStatus === "BLOCK" || channelStatus === "FORCE_BLOCK";

/** Whether the channel is off air for want of an encoder, and not for a source that starts or fails. */
export const isWaitingForEncoder = ({ isPublishing, health }: Channel): boolean =>
  !isPublishing && health.reason?.code === "WAITS_FOR_ENCODER";

export function channelLook(channel: Channel): Look {
  const words = t().channelStatus;
  if (channel.isPublishing) {
    if (channel.ingest?.state === "HELD") return { tone: "held", icon: "pause", word: words.held };
    return { tone: "good", icon: "check", word: words.onAir };
  }
  if (isBlocked(channel)) {
    return { tone: "off", icon: "block", word: words.blocked };
  }
  // A source that starts or fails: the verdict is the whole truth.
  if (!isWaitingForEncoder(channel)) return verdictLook(channel.health);
  return { tone: "calm", icon: "dot", word: channel.channelStatus === "CREATING" ? words.creating : words.ready };
}

/** The mark of a channel whose test pattern is on air. */
export const testLook = (): Look => ({ tone: "busy", icon: "alert", word: t().testPattern.name });

/** The look of one state of the verdict. */
export function healthLook(state: HealthState): Look {
  const word = t().health.states[state];
  switch (state) {
    case "healthy":
      return { tone: "good", icon: "check", word };
    case "attention":
      return { tone: "busy", icon: "alert", word };
    case "broken":
      return { tone: "bad", icon: "alert", word };
    case "waiting":
      return { tone: "calm", icon: "dot", word };
    default:
      return { tone: "off", icon: "block", word };
  }
}

/** The look of a channel's verdict. A source that is starting is named: no encoder has to do anything. */
export function verdictLook({ state, reason }: Channel["health"]): Look {
  const look = healthLook(state);
  return reason?.code === "SOURCE_STARTING" ? { ...look, word: t().health.sourceStarting } : look;
}

/** A state in a rounded box, perhaps with the name of what it belongs to. */
export function State({ look, name }: { readonly look: Look; readonly name?: string }) {
  return (
    <span class={`state tone-${look.tone}`}>
      <Icon name={look.icon} />
      {name === undefined ? (
        look.word
      ) : (
        <>
          <span class="state-name">{name}</span> <span class="state-word">{look.word}</span>
        </>
      )}
    </span>
  );
}

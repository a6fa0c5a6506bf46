import { useSignal } from "@preact/signals";
import { now } from "../../base/clock.ts";
import type { Platform, PlatformTest, TargetError } from "../../base/model.ts";
import { RateLine } from "../../chart/rate-line.tsx";
import { minuteOf } from "../../live/minute.ts";
import type { LiveChannel } from "../../live/store.ts";
import { formatDuration, formatNumber, formatRate, formatTime } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { sayProblem } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { lazy } from "../basic/lazy.tsx";
import { noteText } from "../basic/notice.tsx";
import { platformLook, State } from "../basic/state.tsx";
import { PlatformActions } from "./platform-actions.tsx";
import { Figures } from "./platform-figures.tsx";
import { PlatformLogo } from "./platform-logo.tsx";
import { changeOf, PlatformSwitch, UndoBar, usePendingOff } from "./platform-switch.tsx";
import { platformName, presetName, presetOf } from "./presets.ts";

const WindowNote = lazy(async () => (await import("../schedules/windows-field.tsx")).WindowNote);
const Delay = lazy(async () => (await import("../delay/delay.tsx")).Delay);
const PlatformCharts = lazy(async () => (await import("./platform-charts.tsx")).PlatformCharts);

type RowOptions = { readonly live: LiveChannel; readonly platform: Platform };

/** One platform: its state, figures, problems and actions. */
export function PlatformRow({ live, platform }: RowOptions) {
  const channel = live.channel.value;
  const look = platformLook(platform, channel);
  const name = platformName(platform);
  const isSent =
    channel.isPublishing && (platform.connectStatus === "PUBLISHING" || platform.connectStatus === "CONNECTING");
  const change = changeOf(live, platform);
  const pending = usePendingOff(() => change("off").catch(sayProblem));
  const test = useSignal<{ readonly result: PlatformTest; readonly time: number } | undefined>(undefined);
  const areChartsOpen = useSignal(false);
  const isFailing = platform.enabled && platform.lastError !== undefined && platform.connectStatus !== "PUBLISHING";
  return (
    <li class={`platform tone-${look.tone}`} data-plat-id={platform.platId}>
      <div class="platform-head">
        <PlatformLogo targetName={platform.targetName} />
        <div class="platform-title">
          <h3>{name}</h3>
          <PlatformAddress platform={platform} />
        </div>
        <span role="status">
          <State look={look} />
          <Unstable live={live} platform={platform} />
          <SilenceAdded live={live} platform={platform} />
        </span>
        <PlatformRate live={live} platform={platform} name={name} tone={look.tone} />
      </div>
      <Figures live={live} platform={platform} />
      <div class="platform-actions">
        <PlatformSwitch platform={platform} name={name} isSent={isSent} pending={pending} change={change} />
        <PlatformActions
          channel={channel}
          platform={platform}
          name={name}
          onTested={(result) => (test.value = { result, time: now.peek() })}
          onRemove={pending.undo}
        />
      </div>
      <LiveDelay live={live} platform={platform} />
      {(platform.windowState ?? "OPEN") !== "OPEN" && <WindowNote platform={platform} />}
      <UndoBar pending={pending} name={name} />
      {isFailing && platform.lastError !== undefined && <Failure error={platform.lastError} platform={platform} />}
      {platform.warning !== undefined && <Warning warning={platform.warning} />}
      {test.value !== undefined && <TestResult {...test.value} onClose={() => (test.value = undefined)} />}
      <details class="platform-charts" onToggle={({ currentTarget }) => (areChartsOpen.value = currentTarget.open)}>
        <summary>{t().platform.charts}</summary>
        {areChartsOpen.value && <PlatformCharts channelId={channel.channelId} platId={platform.platId} name={name} />}
      </details>
    </li>
  );
}

/** The server's host and path, and what kind of platform it is where its name is the user's own. */
function PlatformAddress({ platform }: { readonly platform: Platform }) {
  const preset = presetOf(platform.targetName);
  const kind = (platform.label ?? "") === "" || preset === undefined ? "" : `${presetName(preset)} · `;
  return (
    <span class="platform-address" title={platform.rtmpUrl}>
      {kind}
      {platform.rtmpUrl.replace(/^rtmps?:\/\//, "")}
    </span>
  );
}

type RateOptions = RowOptions & { readonly name: string; readonly tone: string };

/** A component of its own, so that a sample renders only this. */
function PlatformRate({ live, platform, name, tone }: RateOptions) {
  const rates = minuteOf(live).map(
    ({ platforms }) => platforms.find(({ platId }) => platId === platform.platId)?.bytesPerSecond ?? 0,
  );
  const isOnAir = platform.connectStatus === "PUBLISHING";
  const isOff = !platform.enabled || platform.windowState === "CLOSED";
  if (!isOnAir && (isOff || !live.channel.value.isPublishing)) return null;
  return (
    <span class="platform-rate">
      <RateLine live={live} rates={rates} label={t().platform.rateLine(name)} tone={tone} />
      <b>{formatRate(isOnAir ? (rates.at(-1) ?? platform.bytesPerSecond) : 0)}</b>
    </span>
  );
}

/** A failure in a few words, then in one sentence that says what to do. */
function ErrorText({ error }: { readonly error: TargetError }) {
  return (
    <>
      <b>{t().errors[error.code]}</b> <span>{noteText(error)}</span>
    </>
  );
}

/** A warning about a platform that is on air. */
function Warning({ warning }: { readonly warning: NonNullable<Platform["warning"]> }) {
  return (
    <div class="test-result tone-busy">
      <Icon name="alert" />
      <p>{noteText(warning)}</p>
    </div>
  );
}

/** A component of its own, so that a sample renders only this: it says how much waits now. */
function LiveDelay({ live, platform }: RowOptions) {
  const { channelId, platforms } = live.counted.value;
  const { delay } = platforms.find(({ platId }) => platId === platform.platId) ?? platform;
  return delay === undefined ? null : <Delay channelId={channelId} platform={{ ...platform, delay }} />;
}

function Unstable({ live, platform }: RowOptions) {
  const last = live.samples.value.at(-1)?.platforms.find(({ platId }) => platId === platform.platId);
  if (!live.channel.value.isPublishing || (last ?? platform).stability !== "unstable") return null;
  const look = { tone: "busy", icon: "alert", word: t().platform.unstable } as const;
  return (
    <span title={t().platform.unstableHelp}>
      {" "}
      <State look={look} />
    </span>
  );
}

/** The stream has no audio, and the platform gets silence. */
function SilenceAdded({ live, platform }: RowOptions) {
  if (!live.channel.value.isPublishing || platform.silenceAdded !== true) return null;
  const look = { tone: "calm", icon: "dot", word: t().platform.silenceAdded } as const;
  return (
    <span title={t().platform.silenceAddedHelp}>
      {" "}
      <State look={look} />
    </span>
  );
}

function Failure({ error, platform }: { readonly error: TargetError; readonly platform: Platform }) {
  return (
    <div class="failure">
      <Icon name="alert" />
      <p>
        <ErrorText error={error} />
      </p>
      <Countdown platform={platform} />
    </div>
  );
}

function Countdown({ platform }: { readonly platform: Platform }) {
  if (platform.connectStatus === "CONNECTING") return <span class="countdown">{t().platform.retryingNow}</span>;
  if (platform.nextRetryTime === undefined) return null;
  const seconds = Math.max(0, Math.ceil((platform.nextRetryTime - now.value) / 1_000));
  return <span class="countdown">{t().platform.nextRetry(formatDuration(seconds))}</span>;
}

/** `time` is when the result arrived. */
type ResultOptions = { readonly result: PlatformTest; readonly time: number; readonly onClose: () => void };

function TestResult({ result, time, onClose }: ResultOptions) {
  return (
    <div class={result.ok ? "test-result tone-good" : "test-result tone-bad"} role="status">
      <Icon name={result.ok ? "check" : "alert"} />
      <p>
        <b class="test-title">{t().platform.testResult(formatTime(time))}</b>
        {result.ok && t().platform.testOk(formatNumber(result.milliseconds))}
        {!result.ok &&
          (result.lastError === undefined ? t().platform.testFailed : <ErrorText error={result.lastError} />)}
      </p>
      <button type="button" class="plain" aria-label={t().common.close} onClick={onClose}>
        <Icon name="cross" />
      </button>
    </div>
  );
}

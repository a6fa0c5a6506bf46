import { useSignal } from "@preact/signals";
import { call, platformPath } from "../../base/api.ts";
import { now } from "../../base/clock.ts";
import type { Platform, PlatformTest, TargetError } from "../../base/model.ts";
import { RateLine } from "../../chart/rate-line.tsx";
import { type LiveChannel, showPlatform } from "../../live/store.ts";
import { formatBytes, formatClock, formatDuration, formatNumber, formatRate, formatTime } from "../../text/format.ts";
import { language, t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { Icon } from "../basic/icon.tsx";
import { lazy } from "../basic/lazy.tsx";
import { say } from "../basic/notice.tsx";
import { platformLook, State } from "../basic/state.tsx";
import { platformName } from "./presets.ts";

const EditPlatform = lazy(async () => (await import("./platform-form.tsx")).EditPlatform);

type RowOptions = { readonly live: LiveChannel; readonly platform: Platform };

/** One platform: its state, figures, problems and actions. */
export function PlatformRow({ live, platform }: RowOptions) {
  const look = platformLook(platform);
  const name = platformName(platform);
  const test = useSignal<{ readonly result: PlatformTest; readonly time: number } | undefined>(undefined);
  const isFailing = platform.enabled && platform.lastError !== undefined && platform.connectStatus !== "PUBLISHING";
  return (
    <li class={`platform tone-${look.tone}`} data-plat-id={platform.platId}>
      <div class="platform-head">
        <h3>{name}</h3>
        <span role="status">
          <State look={look} />
          <Unstable live={live} platform={platform} />
        </span>
        <PlatformRate live={live} platform={platform} name={name} tone={look.tone} />
      </div>
      <Figures live={live} platform={platform} />
      <Actions
        live={live}
        platform={platform}
        name={name}
        onTested={(result) => (test.value = { result, time: now.peek() })}
      />
      {isFailing && platform.lastError !== undefined && <Failure error={platform.lastError} platform={platform} />}
      {platform.warning !== undefined && <Warning warning={platform.warning} />}
      {test.value !== undefined && <TestResult {...test.value} onClose={() => (test.value = undefined)} />}
    </li>
  );
}

type RateOptions = RowOptions & { readonly name: string; readonly tone: string };

/** A component of its own, so that a sample renders only this. */
function PlatformRate({ live, platform, name, tone }: RateOptions) {
  const rates = live.samples.value.map(
    ({ platforms }) => platforms.find(({ platId }) => platId === platform.platId)?.bytesPerSecond ?? 0,
  );
  const isOnAir = platform.connectStatus === "PUBLISHING";
  if (!isOnAir && (!platform.enabled || rates.length === 0 || !live.channel.value.isPublishing)) return null;
  return (
    <span class="platform-rate">
      <RateLine rates={rates} label={t().platform.rateLine(name)} tone={tone} />
      <b>{formatRate(isOnAir ? (rates.at(-1) ?? platform.bytesPerSecond) : 0)}</b>
    </span>
  );
}

function Figures({ live, platform }: RowOptions) {
  const last = live.samples.value.at(-1)?.platforms.find(({ platId }) => platId === platform.platId);
  const counted = live.counted.value.platforms.find(({ platId }) => platId === platform.platId);
  const sent = Math.max(counted?.bytesTotalTrans ?? 0, platform.bytesTotalTrans);
  const isOnAir = platform.connectStatus === "PUBLISHING" && platform.connectStatusTime !== undefined;
  const queue = last?.queueMilliseconds ?? platform.queueMilliseconds;
  // The newer of the two has the higher count. Its causes belong to it.
  const newest = (last?.droppedFrames ?? 0) > (platform.droppedFrames ?? 0) ? last : platform;
  const drops = newest?.droppedFrames ?? 0;
  const causes = newest?.droppedFramesByCause;
  const causeNames = t().platform.dropCauses;
  const causeText =
    causes === undefined
      ? ""
      : (["overTime", "overBytes", "untilKeyframe"] as const)
          .filter((cause) => causes[cause] > 0)
          .map((cause) => `${causeNames[cause]} ${formatNumber(causes[cause])}`)
          .join(", ");
  return (
    <dl class="figures">
      <Figure name={t().platform.sent} value={formatBytes(sent)} />
      {isOnAir && <OnAirFigure since={platform.connectStatusTime ?? 0} />}
      {!isOnAir && <Figure name={t().platform.playTime} value={formatDuration(platform.totalPlaySecond)} />}
      {isOnAir && queue !== undefined && (
        <Figure
          name={t().platform.queue}
          value={t().units.seconds(formatNumber(queue / 1_000, 1))}
          isBad={queue > 2_000}
        />
      )}
      {drops > 0 && (
        <Figure
          name={t().platform.drops}
          value={causeText === "" ? formatNumber(drops) : `${formatNumber(drops)} (${causeText})`}
          isBad
        />
      )}
      {platform.totalRetryCount > 0 && (
        <Figure name={t().platform.retries} value={formatNumber(platform.totalRetryCount)} />
      )}
    </dl>
  );
}

function OnAirFigure({ since }: { readonly since: number }) {
  return <Figure name={t().platform.playTime} value={formatClock((now.value - since) / 1_000)} />;
}

type FigureOptions = { readonly name: string; readonly value: string; readonly isBad?: boolean };

function Figure({ name, value, isBad = false }: FigureOptions) {
  return (
    <div class={isBad ? "figure bad" : "figure"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** A failure in a few words, then in one sentence that says what to do. */
function ErrorText({ error }: { readonly error: TargetError }) {
  return (
    <>
      <b>{t().errors[error.code]}</b> <span>{language.value === "ko" ? error.messageKo : error.message}</span>
    </>
  );
}

/** A warning about a platform that is on air. */
function Warning({ warning }: { readonly warning: NonNullable<Platform["warning"]> }) {
  return (
    <div class="test-result tone-busy">
      <Icon name="alert" />
      <p>{language.value === "ko" ? warning.messageKo : warning.message}</p>
    </div>
  );
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

type ActionsOptions = RowOptions & { readonly name: string; readonly onTested: (result: PlatformTest) => void };

function Actions({ live, platform, name, onTested }: ActionsOptions) {
  const opened = useSignal<"edit" | "remove" | undefined>(undefined);
  const close = (): void => {
    opened.value = undefined;
  };
  const channel = live.channel.value;
  const path = platformPath(channel.channelId, platform.platId);
  const change = async (what: "on" | "off" | "retry"): Promise<void> =>
    showPlatform(channel.channelId, await call<Platform>("PUT", `${path}/${what}`));
  const isConnected = platform.connectStatus === "PUBLISHING" || platform.connectStatus === "CONNECTING";
  return (
    <div class="platform-actions">
      <label class="switch">
        <input
          type="checkbox"
          checked={platform.enabled}
          aria-label={t().platform.switchOn(name)}
          onChange={({ currentTarget }) => {
            change(platform.enabled ? "off" : "on").catch((error: unknown) => {
              currentTarget.checked = platform.enabled;
              say(problemText(error), "bad");
            });
          }}
        />
        <span aria-hidden="true">{platform.enabled ? t().common.on : t().common.off}</span>
      </label>
      {platform.connectStatus === "FAIL" && platform.enabled && (
        <Action kind="main" run={() => change("retry")}>
          {t().platform.retryNow}
        </Action>
      )}
      <button type="button" onClick={() => (opened.value = "edit")}>
        {t().common.edit}
      </button>
      {!isConnected && (
        <Action run={async () => onTested(await call<PlatformTest>("POST", `${path}/test`))}>
          {t().platform.test}
        </Action>
      )}
      <button type="button" onClick={() => (opened.value = "remove")}>
        {t().platform.remove}
      </button>
      {opened.value === "edit" && <EditPlatform channel={channel} platform={platform} onClose={close} />}
      {opened.value === "remove" && (
        <Confirm
          title={t().platform.remove}
          text={t().platform.removeSure(name)}
          run={() => call("DELETE", path)}
          onClose={close}
        />
      )}
    </div>
  );
}

import { useSignal } from "@preact/signals";
import { ALERT_SCOPES, ALERT_SEVERITIES } from "../../../../src/api-contract/alerts/alert-rules.ts";
import { at } from "../../base/base-path.ts";
import { labelKey } from "../../base/labels.ts";
import { allLabels } from "../../live/labels.ts";
import { allChannels } from "../../live/store.ts";
import { formatEventTime } from "../../text/format.ts";
import { panelTexts } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { say } from "../basic/notice.tsx";
import { alertText, recentAlerts } from "./alert-list.ts";
import { notificationState, showNotification } from "./notifications.ts";
import { pushState, subscribePush, testPush, unsubscribePush } from "./push.ts";
import { ALERT_KINDS, alertSettings, changeAlertSettings } from "./settings.ts";
import { playTone, unlockSound } from "./tone.ts";

/** How this browser is alerted when a channel is in trouble. Every change holds at once. */
export function Alerts() {
  const { isOn } = alertSettings.value;
  const texts = panelTexts().alerts;
  return (
    <section class="panel" aria-labelledby="alerts-title">
      <div class="panel-head">
        <h2 id="alerts-title">{texts.title}</h2>
      </div>
      <p class="quiet">{texts.help}</p>
      <div class="form">
        <Check label={texts.on} isChecked={isOn} onChange={(checked) => changeAlertSettings({ isOn: checked })} />
        {isOn && <Rules />}
        {isOn && <RecentAlerts />}
      </div>
    </section>
  );
}

function Rules() {
  const settings = alertSettings.value;
  const texts = panelTexts().alerts;
  return (
    <>
      <Notifications />
      <fieldset class="field-group">
        <legend>{texts.severitiesTitle}</legend>
        {ALERT_SEVERITIES.map((severity) => (
          <Check
            key={severity}
            label={texts.severities[severity]}
            isChecked={settings.severities.includes(severity)}
            onChange={(checked) =>
              changeAlertSettings({ severities: chosen(ALERT_SEVERITIES, settings.severities, severity, checked) })
            }
          />
        ))}
      </fieldset>
      <fieldset class="field-group">
        <legend>{texts.kindsTitle}</legend>
        {ALERT_KINDS.map((kind) => (
          <Check
            key={kind}
            label={texts.kinds[kind]}
            isChecked={settings.kinds.includes(kind)}
            onChange={(checked) => changeAlertSettings({ kinds: chosen(ALERT_KINDS, settings.kinds, kind, checked) })}
          />
        ))}
        <p class="help">{texts.soundHelp}</p>
        <Check
          label={texts.quiet}
          isChecked={settings.isQuietInFocus}
          onChange={(checked) => changeAlertSettings({ isQuietInFocus: checked })}
        />
      </fieldset>
      <Scope />
      <div class="buttons">
        <Action run={sendTest}>{texts.test}</Action>
      </div>
    </>
  );
}

/** The words of a closed list after one was ticked or not. */
const chosen = <Word extends string>(
  words: readonly Word[],
  before: readonly Word[],
  word: Word,
  isChosen: boolean,
): readonly Word[] => words.filter((each) => (each === word ? isChosen : before.includes(each)));

async function sendTest(): Promise<void> {
  const { kinds } = alertSettings.peek();
  const texts = panelTexts().alerts;
  unlockSound();
  if (kinds.includes("sound")) playTone("attention");
  if (kinds.includes("notification") && pushState.peek() === "on") {
    const problem = await testPush();
    if (problem !== undefined) return say(texts.testFailed(problem), "bad");
  } else if (kinds.includes("notification")) showNotification(texts.testTitle, texts.testBody, "");
  say(texts.tested);
}

/** What of notifications this browser allows, and what happens where it allows none. */
function Notifications() {
  const state = useSignal(notificationState());
  const texts = panelTexts().alerts;
  const push = pushState.value;
  const ask = async (): Promise<void> => {
    await Notification.requestPermission();
    state.value = notificationState();
    if (state.value === "granted" && push !== "unsupported") await subscribePush();
  };
  const isGranted = state.value === "granted";
  return (
    <div class="alert-channel" data-notifications={state.value} data-push={push}>
      <p>{state.value === "granted" ? texts.pushStates[push] : texts.notificationStates[state.value]}</p>
      {state.value === "ask" && <Action run={ask}>{texts.allow}</Action>}
      {isGranted && (push === "off" || push === "refused") && <Action run={subscribePush}>{texts.pushOn}</Action>}
      {isGranted && push === "on" && <Action run={unsubscribePush}>{texts.pushOff}</Action>}
    </div>
  );
}

/** All channels, some, or those with some labels. */
function Scope() {
  const { scope, channelIds, labels } = alertSettings.value;
  const texts = panelTexts().alerts;
  const toggled = (list: readonly string[], each: string, isChosen: boolean): readonly string[] =>
    isChosen ? [...list, each] : list.filter((one) => one !== each);
  return (
    <fieldset class="field-group">
      <legend>{texts.scopeTitle}</legend>
      {ALERT_SCOPES.map((each) => (
        <label key={each} class="check">
          <input
            type="radio"
            name="scope"
            checked={scope === each}
            onChange={() => changeAlertSettings({ scope: each })}
          />
          <span>{texts.scopes[each]}</span>
        </label>
      ))}
      {scope === "channels" && (
        <div class="alert-choices">
          {allChannels.value.map(({ channel: { value } }) => (
            <Check
              key={value.channelId}
              label={value.channelName}
              isChecked={channelIds.includes(value.channelId)}
              onChange={(checked) => changeAlertSettings({ channelIds: toggled(channelIds, value.channelId, checked) })}
            />
          ))}
        </div>
      )}
      {scope === "labels" && (
        <div class="alert-choices">
          {allLabels.value.length === 0 && <p class="help">{texts.noLabels}</p>}
          {allLabels.value.map((label) => (
            <Check
              key={label}
              label={label}
              isChecked={labels.includes(labelKey(label))}
              onChange={(checked) => changeAlertSettings({ labels: toggled(labels, labelKey(label), checked) })}
            />
          ))}
        </div>
      )}
    </fieldset>
  );
}

type CheckOptions = {
  readonly label: string;
  readonly isChecked: boolean;
  readonly onChange: (isChecked: boolean) => void;
};

function Check({ label, isChecked, onChange }: CheckOptions) {
  return (
    <label class="check">
      <input type="checkbox" checked={isChecked} onChange={(event) => onChange(event.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

function RecentAlerts() {
  const texts = panelTexts().alerts;
  return (
    <section aria-labelledby="recent-alerts">
      <h3 id="recent-alerts">{texts.recent}</h3>
      {recentAlerts.value.length === 0 && <p class="quiet">{texts.none}</p>}
      <ul class="alert-list">
        {recentAlerts.value.map((alert) => {
          const { title, body } = alertText(alert);
          return (
            <li key={alert.id}>
              <time>{formatEventTime(alert.time)}</time> <a href={at(`/channels/${alert.channelId}`)}>{title}</a>{" "}
              <span class="quiet">{body}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

import { effect, untracked } from "@preact/signals";
import { isAlertWanted } from "../../../../src/api-contract/alerts/alert-rules.ts";
import { type Alert, AlertTracker } from "../../../../src/api-contract/alerts/alert-tracker.ts";
import { alertTitle } from "../../base/alert-settings.ts";
import { now } from "../../base/clock.ts";
import type { ChannelEvent } from "../../base/model.ts";
import { allChannels, hasSnapshot, isLead, liveChannel, recentEvents } from "../../live/store.ts";
import { panelTexts } from "../../text/text.ts";
import { addAlert, alertText } from "./alert-list.ts";
import { FocusWatch } from "./focus.ts";
import { lossOf, type Verdict } from "./loss.ts";
import { showNotification } from "./notifications.ts";
import { alertSettings } from "./settings.ts";
import { playTone, unlockSound } from "./tone.ts";

/** Whether a broadcast ended that neither its encoder nor a person ended. A server that stops is none of it. */
const isLoss = ({ eventCode, logLevel, reason }: ChannelEvent): boolean =>
  eventCode === "PUBLISH_END" && logLevel !== "INFO" && reason !== "shutdown";

/** Follows the live stream and tells this browser's alerts. The returned function ends it. */
export function startAlerts(): () => void {
  const watch = new AlertWatch();
  return () => watch.close();
}

class AlertWatch {
  readonly #tracker = new AlertTracker<Verdict>();
  readonly #focus = new FocusWatch(() => this.#seen());
  readonly #ends: readonly (() => void)[];
  #known: ReadonlySet<string> = new Set();
  #lastEvent: ChannelEvent | undefined = recentEvents.peek()[0];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unseenCount = 0;

  constructor() {
    addEventListener("pointerdown", unlockSound);
    addEventListener("keydown", unlockSound);
    this.#ends = [effect(() => this.#takeVerdicts()), effect(() => this.#takeEvents())];
  }

  close(): void {
    for (const end of this.#ends) end();
    clearTimeout(this.#timer);
    removeEventListener("pointerdown", unlockSound);
    removeEventListener("keydown", unlockSound);
    this.#focus.close();
    alertTitle.value = "";
  }

  #takeVerdicts(): void {
    if (!hasSnapshot.value) return;
    const verdicts = allChannels.value.map(({ channel }) => channel.value);
    untracked(() => {
      const present = new Set(verdicts.map(({ channelId }) => channelId));
      for (const channelId of this.#known) if (!present.has(channelId)) this.#tracker.forget(channelId);
      this.#known = present;
      for (const { channelId, health } of verdicts) {
        this.#raise(this.#tracker.take(channelId, health, performance.now()));
      }
      this.#wait();
    });
  }

  #takeEvents(): void {
    const events = recentEvents.value;
    const last = this.#lastEvent;
    this.#lastEvent = events[0];
    untracked(() => {
      for (const event of events) {
        if (event === last) break;
        if (!isLoss(event)) continue;
        const loss = lossOf(event.reason, liveChannel(event.channelId)?.channel.peek());
        this.#raise(this.#tracker.lost(event.channelId, loss, performance.now()));
      }
    });
  }

  /** Changes that came within a channel's quiet minute are told at its end. */
  #wait(): void {
    clearTimeout(this.#timer);
    const dueMs = this.#tracker.nextDueMs;
    if (dueMs === undefined) return;
    this.#timer = setTimeout(() => {
      for (const alert of this.#tracker.due(performance.now())) this.#raise(alert);
      this.#wait();
    }, dueMs - performance.now());
  }

  #raise(alert: Alert<Verdict> | undefined): void {
    const settings = alertSettings.peek();
    if (alert === undefined) return;
    const { channelId, severity } = alert;
    const labels = liveChannel(channelId)?.channel.peek().labels;
    if (!isAlertWanted(settings, severity, { channelId, labels })) return;
    const shown = addAlert(alert, now.peek());
    const { title, body } = alertText(shown);
    if (settings.kinds.includes("title") && !document.hasFocus()) {
      this.#unseenCount += 1;
      alertTitle.value = panelTexts().alerts.tabTitle(this.#unseenCount, title);
    }
    if (!isLead.peek() || (settings.isQuietInFocus && this.#focus.isFocused)) return;
    if (settings.kinds.includes("sound")) playTone(severity);
    if (settings.kinds.includes("notification")) showNotification(title, body, channelId);
  }

  #seen(): void {
    this.#unseenCount = 0;
    alertTitle.value = "";
  }
}

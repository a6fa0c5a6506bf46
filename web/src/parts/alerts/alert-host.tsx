import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { at } from "../../base/base-path.ts";
import { panelTexts } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { healthLook } from "../basic/state.tsx";
import { alertText, recentAlerts, type ShownAlert } from "./alert-list.ts";
import { startAlerts } from "./alert-watch.ts";
import { startPush } from "./push.ts";

/** How long an alert stays on the page, in milliseconds, and how many do at a time. */
const SHOWN_MS = 20_000;
const SHOWN_MAX = 4;

/** Tells this browser's alerts while a page is open, and shows the newest of them on the page. */
export function AlertHost() {
  useEffect(startAlerts, []);
  useEffect(startPush, []);
  const dismissed = useSignal<number>(0);
  const newest = recentAlerts.value[0];
  useEffect(() => {
    if (newest === undefined) return;
    const timer = setTimeout(() => {
      dismissed.value = newest.id;
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [newest]);
  const shown = recentAlerts.value.filter(({ id }) => id > dismissed.value).slice(0, SHOWN_MAX);
  return (
    <div class="alerts" role="status" aria-live="polite" aria-label={panelTexts().alerts.title}>
      {shown.map((alert) => (
        <AlertCard key={alert.id} alert={alert} />
      ))}
      {shown.length > 0 && (
        <button
          type="button"
          onClick={() => {
            dismissed.value = newest?.id ?? 0;
          }}
        >
          {panelTexts().alerts.dismiss}
        </button>
      )}
    </div>
  );
}

function AlertCard({ alert }: { readonly alert: ShownAlert }) {
  const { title, body } = alertText(alert);
  const look = healthLook(alert.severity);
  return (
    <a class={`alert tone-${look.tone}`} data-severity={alert.severity} href={at(`/channels/${alert.channelId}`)}>
      <b>
        <Icon name={look.icon} /> {title}
      </b>
      {body !== "" && <span>{body}</span>}
    </a>
  );
}

import { dashboard } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import { now } from "../../base/clock.ts";
import { leavePage, tellTabs } from "../../base/read-session.ts";
import { route } from "../../base/router.ts";
import { session } from "../../base/session.ts";
import { setTheme, THEMES, type Theme, theme } from "../../base/theme.ts";
import { hasSnapshot, isStale, serverTroubles, streamState, totals } from "../../live/store.ts";
import { formatRate, formatTime } from "../../text/format.ts";
import { LANGUAGES, type Language, language, setLanguage, t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { recoverMissing } from "../basic/missing-part.ts";
import { noteText } from "../basic/notice.tsx";
import { finishPendingOffs } from "../platform/platform-switch.tsx";

export function TopBar() {
  const page = route.value.page;
  return (
    <header class="top">
      <a class="brand" href={at("/")} aria-label={`Fanfare: ${t().app.channels}`}>
        <img src={at("/icon.svg")} alt="" width="26" height="26" />
        <span>Fanfare</span>
      </a>
      <nav aria-label={t().app.navigation}>
        <a href={at("/")} aria-current={page === "overview" || page === "channel" ? "page" : undefined}>
          {t().app.channels}
        </a>
        <a href={at("/settings")} aria-current={page === "settings" ? "page" : undefined}>
          {t().app.settings}
        </a>
      </nav>
      <Totals />
      <div class="top-end">
        <Choices />
        <Action kind="plain" run={signOut}>
          {t().app.signOut}
        </Action>
      </div>
    </header>
  );
}

async function signOut(): Promise<void> {
  // Without the session nothing can be switched off any more.
  await finishPendingOffs();
  await dashboard.DELETE("/session");
  tellTabs("out");
  await leavePage();
  if (session.peek() === "signed-in") throw new Error("still signed in");
}

/** The choice of language and appearance, also on the pages before the sign-in. */
export function Choices() {
  return (
    <>
      <select
        class="plain"
        aria-label={t().app.language}
        value={language.value}
        onChange={(event) => setLanguage(event.currentTarget.value as Language).catch(recoverMissing)}
      >
        {Object.entries(LANGUAGES).map(([code, name]) => (
          <option key={code} value={code} lang={code}>
            {name}
          </option>
        ))}
      </select>
      <select
        class="plain"
        aria-label={t().app.theme}
        value={theme.value}
        onChange={(event) => setTheme(event.currentTarget.value as Theme)}
      >
        {THEMES.map((name) => (
          <option key={name} value={name}>
            {t().app.themes[name]}
          </option>
        ))}
      </select>
    </>
  );
}

function Totals() {
  const state = streamState.value;
  const isConnected = state === "connected";
  return (
    <p class="totals">
      <span class={isStale.value ? "total stale" : "total"}>
        {t().app.inbound} <b>{formatRate(totals.value.inbound)}</b>
      </span>
      <span class={isStale.value ? "total stale" : "total"}>
        {t().app.outbound} <b>{formatRate(totals.value.outbound)}</b>
      </span>
      <span class={`state tone-${isConnected ? "good" : state === "connecting" ? "busy" : "bad"}`} data-stream={state}>
        <Icon name={isConnected ? "dot" : state === "connecting" ? "spinner" : "alert"} />
        {isConnected ? t().stream.connected : state === "connecting" ? t().stream.connecting : t().stream.lost}
      </span>
    </p>
  );
}

/** Announces that the page may be out of date, and the server's own troubles: at the window's end, where they move nothing. */
export function ServerNotices() {
  return (
    <div class="troubles" role="status" aria-live="polite">
      {isStale.value && (
        <p class="trouble">
          <Icon name="alert" /> {t().stream.lostLong(hasSnapshot.value ? formatTime(now.value) : undefined)}
        </p>
      )}
      {serverTroubles.value.map(({ trouble, ...note }) => (
        <p key={trouble} class="trouble" data-trouble={trouble}>
          <Icon name="alert" /> {noteText(note)}
        </p>
      ))}
    </div>
  );
}

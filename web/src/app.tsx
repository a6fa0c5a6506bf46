import { useEffect } from "preact/hooks";
import { alertTitle, areAlertsOn } from "./base/alert-settings.ts";
import { at } from "./base/base-path.ts";
import { showFavicon } from "./base/favicon.ts";
import { worstHealth } from "./base/health.ts";
import { readSession } from "./base/read-session.ts";
import { focusHeading, type Route, route } from "./base/router.ts";
import { session } from "./base/session.ts";
import { forgetLive, isStale, liveChannel, startLive } from "./live/store.ts";
import { ChannelPage } from "./pages/channel.tsx";
import { Overview } from "./pages/overview.tsx";
import { lazy } from "./parts/basic/lazy.tsx";
import { Notices } from "./parts/basic/notice.tsx";
import { verdictLook } from "./parts/basic/state.tsx";
import { healthCounts } from "./parts/overview/view-state.ts";
import { ServerNotices, TopBar } from "./parts/shell/top-bar.tsx";
import { t } from "./text/text.ts";

const SetupPage = lazy(async () => (await import("./pages/sign-in.tsx")).SetupPage);
const SignInPage = lazy(async () => (await import("./pages/sign-in.tsx")).SignInPage);
const SignInAgain = lazy(async () => (await import("./pages/sign-in.tsx")).SignInAgain);
const loadSettings = async () => await (await import("./pages/settings.tsx")).loadSettings();
const SettingsPage = lazy(loadSettings, { onLoaded: focusHeading });

const loadAudit = async () => (await import("./parts/audit/audit-page.tsx")).AuditPage;
const AuditPage = lazy(loadAudit, { onLoaded: focusHeading });

const AlertHost = lazy(async () => (await import("./parts/alerts/alert-host.tsx")).AlertHost);

/** How long to wait before the server is asked again when it cannot be reached, in milliseconds. */
const RETRY_MS = 3_000;

export function App() {
  return (
    <>
      <Content />
      <Notices />
    </>
  );
}

function Content() {
  switch (session.value) {
    case "signed-in":
    case "expired":
      return <SignedIn />;
    case "setup":
      return <SetupPage />;
    case "signed-out":
      return <SignInPage />;
    default:
      return <Waiting />;
  }
}

function Waiting() {
  useEffect(() => {
    const timer = setInterval(() => void readSession(), RETRY_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="sign-in">
      <p role="status">{session.value === "unreachable" ? t().app.unreachable : t().app.loading}</p>
    </main>
  );
}

function SignedIn() {
  const isIn = session.value === "signed-in";
  useEffect(() => (isIn ? startLive() : undefined), [isIn]);
  useEffect(() => forgetLive, []);
  return (
    <>
      <a class="skip" href="#content">
        {t().app.skip}
      </a>
      <Favicon />
      <TopBar />
      <main id="content" class={isStale.value ? "page stale" : "page"} tabIndex={-1}>
        <Page />
      </main>
      <ServerNotices />
      {areAlertsOn() && <AlertHost />}
      {!isIn && <SignInAgain />}
    </>
  );
}

/** The verdict comes first: a tab shows only the first words. */
function channelTitle(channelId: string): string {
  const channel = liveChannel(channelId)?.channel.value;
  return channel === undefined ? t().app.channels : `${verdictLook(channel.health).word}: ${channel.channelName}`;
}

/** The page's title: shown in the tab and the history, and read first by a screen reader. */
function titleOf(here: Route): string {
  switch (here.page) {
    case "channel":
      return channelTitle(here.channelId);
    case "settings":
      return t().app.settings;
    case "audit":
      return t().app.audit;
    case "not-found":
      return t().app.notFound;
    default:
      return troubleTitle() ?? t().app.channels;
  }
}

/** How many channels are broken or need attention, as "2 broken". */
function troubleTitle(): string | undefined {
  const { broken, attention } = healthCounts.value;
  const parts = [
    broken > 0 ? t().overview.titleBroken(broken) : "",
    attention > 0 ? t().overview.titleAttention(attention) : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** Shows the worst verdict in the tab's icon while the page is up to date. */
function Favicon() {
  const worst = isStale.value ? undefined : worstHealth(healthCounts.value);
  useEffect(() => showFavicon(worst), [worst]);
  useEffect(() => () => showFavicon(undefined), []);
  return null;
}

function Page() {
  const here = route.value;
  const title = alertTitle.value === "" ? `${titleOf(here)} – Fanfare` : alertTitle.value;
  useEffect(() => {
    document.title = title;
  }, [title]);
  switch (here.page) {
    case "overview":
    case "setup":
      return <Overview />;
    case "channel":
      return <ChannelPage key={here.channelId} channelId={here.channelId} />;
    case "settings":
      return <SettingsPage />;
    case "audit":
      return <AuditPage />;
    default:
      return (
        <section class="empty">
          <h1 tabIndex={-1}>{t().app.notFound}</h1>
          <a href={at("/")}>{t().app.home}</a>
        </section>
      );
  }
}

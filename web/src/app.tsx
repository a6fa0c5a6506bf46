import { useEffect } from "preact/hooks";
import { at } from "./base/base-path.ts";
import { focusHeading, type Route, route } from "./base/router.ts";
import { readSession, session } from "./base/session.ts";
import { liveChannel, startLive } from "./live/store.ts";
import { ChannelPage } from "./pages/channel.tsx";
import { Overview } from "./pages/overview.tsx";
import { lazy } from "./parts/basic/lazy.tsx";
import { Notices } from "./parts/basic/notice.tsx";
import { ServerNotice, StaleNotice, TopBar } from "./parts/shell/top-bar.tsx";
import { t } from "./text/text.ts";

const SetupPage = lazy(async () => (await import("./pages/sign-in.tsx")).SetupPage);
const SignInPage = lazy(async () => (await import("./pages/sign-in.tsx")).SignInPage);
const SettingsPage = lazy(async () => (await import("./pages/settings.tsx")).SettingsPage, focusHeading);

/** The server did not answer: asked again after so long, in milliseconds. */
const ASK_AGAIN_MS = 3_000;

export function App() {
  return (
    <>
      <Inside />
      <Notices />
    </>
  );
}

function Inside() {
  switch (session.value) {
    case "signed-in":
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
    const timer = setInterval(() => void readSession(), ASK_AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <main class="door">
      <p role="status">{session.value === "unreachable" ? t().app.unreachable : t().app.loading}</p>
    </main>
  );
}

function SignedIn() {
  useEffect(startLive, []);
  return (
    <>
      <a class="skip" href="#content">
        {t().app.skip}
      </a>
      <TopBar />
      <StaleNotice />
      <ServerNotice />
      <main id="content" class="page" tabIndex={-1}>
        <Page />
      </main>
    </>
  );
}

/** What the browser calls the page: in its tab, its history, and to a screen reader first of all. */
function titleOf(here: Route): string {
  switch (here.page) {
    case "channel":
      return liveChannel(here.channelId)?.channel.value.channelName ?? t().app.channels;
    case "settings":
      return t().app.settings;
    case "not-found":
      return t().app.notFound;
    default:
      return t().app.channels;
  }
}

function Page() {
  const here = route.value;
  const title = `${titleOf(here)} · Fanfare`;
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
    default:
      return (
        <section class="empty">
          <h1 tabIndex={-1}>{t().app.notFound}</h1>
          <a href={at("/")}>{t().app.home}</a>
        </section>
      );
  }
}

import { plural } from "../../base/plural.ts";

export const enAlerts = {
  title: "Alerts",
  help: "This browser can alert you when a channel is in trouble. The choices below are for this browser only.",
  on: "Alert me in this browser",
  notificationStates: {
    insecure:
      "This page isn't opened over HTTPS, so the browser allows no notifications. While a Fanfare tab is open, you get alerts on the page, as a sound and in the tab title.",
    "home-screen":
      "On iPhone and iPad, notifications work once you add Fanfare to the home screen (Share → Add to Home Screen) and open it from there. Until then you get alerts while a Fanfare tab is open.",
    missing:
      "This browser has no notifications. While a Fanfare tab is open, you get alerts on the page, as a sound and in the tab title.",
    ask: "The browser hasn't been asked yet whether Fanfare may show notifications.",
    denied:
      "The browser blocks notifications from Fanfare. You can allow them in the browser's settings for this site. Until then you get alerts while a Fanfare tab is open.",
  },
  pushStates: {
    on: "This browser gets notifications, even when no Fanfare page is open.",
    off: "Notifications appear while a Fanfare tab is open. They can also arrive when none is: the server then sends them through the browser's push service, encrypted.",
    refused:
      "The browser's push service couldn't be used, so notifications appear only while a Fanfare tab is open. Some browsers and private windows have no push service.",
    unsupported: "This browser has no push service, so notifications appear only while a Fanfare tab is open.",
  },
  pushOn: "Notify me when no page is open, too",
  pushOff: "Only while a page is open",
  testFailed: (problem: string) => `The test alert wasn't delivered. The push service says: ${problem}`,
  allow: "Allow notifications",
  severitiesTitle: "Alert me when a channel",
  severities: { broken: "is broken", attention: "needs attention", healthy: "is healthy again" },
  kindsTitle: "How",
  kinds: { notification: "Notification", sound: "Sound", title: "Tab title" },
  soundHelp: "After a page is loaded, browsers play sound only once you have clicked somewhere on it.",
  quiet: "No notification or sound while I'm looking at Fanfare",
  scopeTitle: "For which channels",
  scopes: { all: "All channels", channels: "Some channels", labels: "Channels with a label" },
  noLabels: "No channel has a label yet. You can add labels on a channel's page.",
  test: "Send a test alert",
  testTitle: "Test alert",
  testBody: "This is what an alert from Fanfare looks like.",
  tested: "Test alert sent.",
  recent: "Alerts since this tab was opened",
  none: "None yet.",
  dismiss: "Dismiss",
  unstable: (channel: string) => `${channel}: Unstable`,
  unstableText: (number: number, state: string) =>
    `In trouble ${plural("en", number, { one: "once", other: `${number} times` })} within a minute. Now: ${state}.`,
  lostTitle: (channel: string) => `${channel}: Broadcast ended`,
  lost: {
    encoder: "The encoder was lost and the broadcast has ended. Start the encoder again.",
    source: "The source was lost and the broadcast has ended. The server keeps trying to reconnect to it.",
    "stopped-source": "The broadcast has ended.",
    server: "The server stopped unexpectedly and the broadcast has ended. Start the encoder again if it has stopped.",
  },
  tabTitle: (number: number, title: string) => (number === 1 ? `⚠ ${title}` : `⚠ ${number} · ${title}`),
};

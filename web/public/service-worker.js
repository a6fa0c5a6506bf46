/** Shows the alerts that the server pushes, and opens the channel at a press. The page registers it once push is switched on. */

const CHANNEL_ID = /^ls-[A-Za-z0-9-]{1,40}$/;
const TEXT_CHARACTERS_MAX = 1_000;

const textOf = (value) => (typeof value === "string" ? value.slice(0, TEXT_CHARACTERS_MAX) : "");

/** Whatever arrives, there has to be a notification: browsers demand one for each message. */
function readMessage(data) {
  try {
    const { title, body, channelId, isQuietInFocus } = data.json();
    const isChannel = typeof channelId === "string" && CHANNEL_ID.test(channelId);
    return {
      title: textOf(title) || "Fanfare",
      body: textOf(body),
      channelId: isChannel ? channelId : "",
      isQuietInFocus: isQuietInFocus === true,
    };
  } catch {
    return { title: "Fanfare", body: "", channelId: "", isQuietInFocus: false };
  }
}

const pages = () => self.clients.matchAll({ type: "window", includeUncontrolled: true });

async function show({ title, body, channelId, isQuietInFocus }) {
  if (isQuietInFocus && (await pages()).some(({ focused }) => focused)) return;
  await self.registration.showNotification(title, {
    body,
    tag: `fanfare-${channelId}`,
    renotify: true,
    icon: new URL("icon.svg", self.registration.scope).href,
    data: { channelId },
  });
}

async function open(channelId) {
  const path = channelId === "" ? "" : `channels/${channelId}`;
  const [page] = await pages();
  if (page === undefined) return self.clients.openWindow(new URL(path, self.registration.scope).href);
  page.postMessage({ kind: "open", path: `/${path}` });
  return page.focus();
}

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("push", (event) => event.waitUntil(show(readMessage(event.data))));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data?.channelId ?? ""));
});

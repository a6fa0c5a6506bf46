import { at } from "../../base/base-path.ts";
import { go } from "../../base/router.ts";
import { pushState } from "./push.ts";

/**
 * What this browser allows: `insecure` pages (no HTTPS) may show none, `home-screen` means an iPhone or iPad whose page is not on
 * the home screen, `missing` a browser without notifications, `ask` one that was not asked yet.
 */
export type NotificationState = "insecure" | "home-screen" | "missing" | "ask" | "denied" | "granted";

const isApplePhone = (): boolean =>
  /iPhone|iPad/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);

export function notificationState(): NotificationState {
  if (!isSecureContext) return "insecure";
  if (typeof Notification === "undefined") return isApplePhone() ? "home-screen" : "missing";
  return Notification.permission === "default" ? "ask" : Notification.permission;
}

/** Shows a notification. A later one of the same channel replaces it. Where push is on, the server sends it instead. */
export function showNotification(title: string, body: string, channelId: string): void {
  if (pushState.peek() === "on" || notificationState() !== "granted") return;
  const path = `/channels/${channelId}`;
  try {
    const notification = new Notification(title, { body, tag: `fanfare-${channelId}`, icon: at("/icon.svg") });
    notification.onclick = () => {
      focus();
      go(path);
      notification.close();
    };
  } catch {
    // Android shows notifications of a service worker only.
    void navigator.serviceWorker
      ?.getRegistration(at("/"))
      .then((registration) =>
        registration?.showNotification(title, { body, tag: `fanfare-${channelId}`, data: { channelId } }),
      );
  }
}

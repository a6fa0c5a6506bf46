import { effect, signal } from "@preact/signals";
import { answer, dashboard } from "../../base/api.ts";
import { at } from "../../base/base-path.ts";
import { go } from "../../base/router.ts";
import { language } from "../../text/text.ts";
import { alertSettings } from "./settings.ts";

/**
 * Whether the server sends this browser its notifications, also while no page is open. `refused`: the browser or its push
 * service did not take part.
 */
export type PushState = "unsupported" | "off" | "on" | "refused";

/** Changes within this time are sent to the server together, in milliseconds. */
const GATHER_MS = 500;

const isSupported = (): boolean => isSecureContext && "serviceWorker" in navigator && "PushManager" in globalThis;

export const pushState = signal<PushState>(isSupported() ? "off" : "unsupported");

const wantsPush = (): boolean => {
  const { isOn, kinds } = alertSettings.value;
  return isOn && kinds.includes("notification");
};

async function presentSubscription(): Promise<PushSubscription | undefined> {
  if (!isSupported()) return undefined;
  const registration = await navigator.serviceWorker.getRegistration(at("/"));
  return (await registration?.pushManager.getSubscription()) ?? undefined;
}

/** Subscribes this browser. Called at a press, since browsers ask their person for it. Never rejects. */
export async function subscribePush(): Promise<void> {
  try {
    await navigator.serviceWorker.register(at("/service-worker.js"));
    const { pushManager } = await navigator.serviceWorker.ready;
    const { publicKey } = await answer(dashboard.GET("/push"));
    // A subscription of another server's key, from before a database was made anew, would be refused.
    await (await pushManager.getSubscription())?.unsubscribe();
    await save(await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: publicKey }));
  } catch {
    pushState.value = "refused";
  }
}

/** Ends this browser's subscription, here and on the server. */
export async function unsubscribePush(): Promise<void> {
  const subscription = await presentSubscription();
  if (subscription === undefined) return;
  pushState.value = "off";
  await dashboard.DELETE("/push", { body: { endpoint: subscription.endpoint } });
  await subscription.unsubscribe();
}

/** Sends this browser's subscription and rules to the server again: it may have ended with a session. */
export async function syncPush(): Promise<void> {
  const subscription = await presentSubscription();
  if (subscription === undefined) return;
  if (wantsPush()) await save(subscription);
  else await unsubscribePush();
}

async function save(subscription: PushSubscription): Promise<void> {
  const { scope, channelIds, labels, severities, isQuietInFocus } = alertSettings.peek();
  const { p256dh = "", auth = "" } = subscription.toJSON().keys ?? {};
  await dashboard.PUT("/push", {
    body: {
      ...{ endpoint: subscription.endpoint, keys: { p256dh, auth }, language: language.peek() },
      ...{ scope, channelIds: [...channelIds], labels: [...labels], severities: [...severities], isQuietInFocus },
    },
  });
  pushState.value = "on";
}

/** Has the server send a test message. Returns what the push service said, or undefined where all is well. */
export async function testPush(): Promise<string | undefined> {
  const subscription = await presentSubscription();
  const body = { endpoint: subscription?.endpoint ?? "" };
  const { status = 0, problem } = await answer(dashboard.POST("/push/test", { body }));
  return status >= 200 && status < 300 ? undefined : (problem ?? `HTTP ${status}`);
}

/** Keeps the server's copy of the rules up to date, and opens what a notification is about. The returned function ends it. */
export function startPush(): () => void {
  if (!isSupported()) return () => undefined;
  const open = ({ data }: MessageEvent<{ readonly kind?: string; readonly path?: string }>): void => {
    if (data.kind === "open" && data.path !== undefined) go(data.path);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const sync = (): void => {
    syncPush().catch(() => {
      pushState.value = "refused";
    });
  };
  const end = effect(() => {
    void alertSettings.value;
    void language.value;
    clearTimeout(timer);
    timer = setTimeout(sync, GATHER_MS);
  });
  navigator.serviceWorker.addEventListener("message", open);
  return () => {
    end();
    clearTimeout(timer);
    navigator.serviceWorker.removeEventListener("message", open);
    // Alerts were switched off.
    if (!alertSettings.peek().isOn) sync();
  };
}

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, content, ofPlatform } from "../../base/api.ts";
import type { Platform } from "../../base/model.ts";
import { type LiveChannel, showPlatform } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { sayProblem, useInOrder } from "../basic/action.tsx";

/** How long a platform on air can be kept after it was switched off, in seconds. */
const UNDO_SECONDS = 5;

type Change = (what: "on" | "off") => Promise<void>;

/** A platform that was switched off on air, and is still sent to until `secondsLeft` is 0. */
export type PendingOff = {
  /** Undefined: nothing is pending. */
  readonly secondsLeft: number | undefined;
  readonly begin: () => void;
  readonly undo: () => void;
};

/** What is about to be switched off on this page. */
const finishing = new Set<() => Promise<unknown> | undefined>();

/** Switches off now what is about to be, and returns once that is done. */
export const finishPendingOffs = (): Promise<unknown> => Promise.all([...finishing].map((finish) => finish()));

/**
 * Waits before a platform on air is switched off, so that a slip costs no viewer the stream. Leaving the page meanwhile switches it off
 * at once. `run` does it, and never rejects.
 */
export function usePendingOff(run: () => Promise<unknown>): PendingOff {
  const secondsLeft = useSignal<number | undefined>(undefined);
  const latest = useRef(run);
  latest.current = run;
  const timer = useRef<ReturnType<typeof setInterval> | undefined>(undefined);
  const undo = (): void => {
    clearInterval(timer.current);
    secondsLeft.value = undefined;
  };
  const finish = (): Promise<unknown> | undefined => {
    if (secondsLeft.peek() === undefined) return undefined;
    undo();
    return latest.current();
  };
  const begin = (): void => {
    undo();
    secondsLeft.value = UNDO_SECONDS;
    timer.current = setInterval(() => {
      const left = (secondsLeft.peek() ?? 0) - 1;
      if (left <= 0) void finish();
      else secondsLeft.value = left;
    }, 1_000);
  };
  useEffect(() => {
    finishing.add(finish);
    addEventListener("pagehide", finish);
    return () => {
      finishing.delete(finish);
      removeEventListener("pagehide", finish);
      void finish();
    };
  }, []);
  return { secondsLeft: secondsLeft.value, begin, undo };
}

/** Switches a platform on or off. The request is sent even if the page is closed meanwhile. Rejects with ApiError. */
export function changeOf(live: LiveChannel, { platId }: Platform): Change {
  const { channelId } = live.channel.peek();
  return async (what) => {
    const path = `/re-stream/channels/{channelId}/platforms/{platformId}/${what}` as const;
    const call = api.PUT(path, { ...ofPlatform(channelId, platId), keepalive: true });
    await showPlatform(channelId, content(call));
  };
}

type SwitchOptions = {
  readonly platform: Platform;
  readonly name: string;
  readonly isSent: boolean;
  readonly pending: PendingOff;
  readonly change: Change;
};

/** The switch of a platform. While the stream is sent there, switching off waits some seconds. */
export function PlatformSwitch({ platform, name, isSent, pending, change }: SwitchOptions) {
  const isOn = platform.enabled && pending.secondsLeft === undefined;
  const shown = useRef(isOn);
  shown.current = isOn;
  const inOrder = useInOrder();
  const press = (box: HTMLInputElement): void => {
    const { checked } = box;
    if (pending.secondsLeft !== undefined) pending.undo();
    else if (!checked && platform.enabled && isSent) pending.begin();
    else
      inOrder(() => change(checked ? "on" : "off")).catch((error: unknown) => {
        // Not the contrary of this press: the one before it may have failed too.
        box.checked = shown.current;
        sayProblem(error);
      });
  };
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={isOn}
        aria-label={t().platform.switchOn(name)}
        onChange={({ currentTarget }) => press(currentTarget)}
      />
      <span aria-hidden="true">{isOn ? t().common.on : t().common.off}</span>
    </label>
  );
}

/** Says that a platform stops soon, with a button that keeps it. */
export function UndoBar({ pending, name }: { readonly pending: PendingOff; readonly name: string }) {
  const { secondsLeft, undo } = pending;
  return (
    <div class="undo-place" role="status">
      {secondsLeft !== undefined && (
        <p class="undo tone-busy">
          <span>
            {t().platform.stopsSoon(name)} <span aria-hidden="true">{t().platform.stopsIn(secondsLeft)}</span>
          </span>
          <button type="button" onClick={undo}>
            {t().common.undo}
          </button>
        </p>
      )}
    </div>
  );
}

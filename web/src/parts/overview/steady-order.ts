import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

/** How long a pointer that stands still, or a key that was pressed, counts, in milliseconds. */
const POINTING_MS = 5_000;

/** Returns what is in the list now, in its former order; what is new comes last. */
const inFormerOrder = <Each>(before: readonly Each[], now: readonly Each[]): readonly Each[] => [
  ...before.filter((each) => now.includes(each)),
  ...now.filter((each) => !before.includes(each)),
];

/** Keeps a list in its order while a person is about to press something in it, by pointer or keyboard. */
export function useSteadyOrder<Each>(now: readonly Each[]) {
  const shown = useRef(now);
  const isPointing = useSignal(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const rest = (): void => {
    clearTimeout(timer.current);
    isPointing.value = false;
  };
  const point = (): void => {
    clearTimeout(timer.current);
    isPointing.value = true;
    timer.current = setTimeout(rest, POINTING_MS);
  };
  useEffect(() => rest, []);
  shown.current = isPointing.value ? inFormerOrder(shown.current, now) : now;
  return { shown: shown.current, handlers: { onPointerMove: point, onKeyUp: point, onPointerLeave: rest } };
}

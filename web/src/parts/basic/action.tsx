import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import { ApiError } from "../../base/api.ts";
import { language, t } from "../../text/text.ts";
import { say } from "./notice.tsx";

/** The sentence that is shown for a failed call. */
export function problemText(error: unknown): string {
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.code === "network") return t().common.failed(t().common.network);
  if (error.code === "limited") return t().common.limited(error.retryAfterSeconds ?? 1);
  if (error.hint !== undefined) return t().common.failed(error.hint[language.value]);
  const known: Readonly<Record<string, string>> = t().common.refusals;
  const what = known[error.code];
  // The server's details are English: another language has its own sentence, and shows them only where it has none.
  const details = what !== undefined && language.value !== "en" ? "" : error.details;
  return t().common.failed(details === "" ? (what ?? error.message) : `${what ?? error.message} (${details})`);
}

/** Shows the notice of a failed call. */
export const sayProblem = (error: unknown): void => say(problemText(error), "bad");

/** Returns a function that runs calls one after the other, in the order of the presses. Each begins when the former one is over. */
export function useInOrder(): (run: () => Promise<unknown>) => Promise<unknown> {
  const last = useRef<Promise<unknown>>(Promise.resolve());
  return (run) => {
    last.current = last.current.then(run, run);
    return last.current;
  };
}

type ActionOptions = {
  readonly run: () => Promise<unknown>;
  readonly children: ComponentChildren;
  readonly kind?: "plain" | "main" | "danger" | undefined;
  readonly label?: string;
  readonly isDisabled?: boolean;
};

/** A button that makes one call. It ignores presses during the call, and shows a failure. */
export function Action({ run, children, kind, label, isDisabled = false }: ActionOptions) {
  const isBusy = useSignal(false);
  const press = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    await run().catch(sayProblem);
    isBusy.value = false;
  };
  return (
    <button
      type="button"
      class={kind ?? ""}
      aria-busy={isBusy.value}
      disabled={isDisabled}
      {...(label === undefined ? {} : { "aria-label": label })}
      onClick={() => void press()}
    >
      {children}
    </button>
  );
}

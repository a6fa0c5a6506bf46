import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { t } from "../text/text.ts";
import { say } from "./notice.tsx";

/** A page younger than this is of the server that is there now, in milliseconds. */
const OWN_AGE_MS = 10_000;

/** The server is gone, or it was updated since and has another file: then the page is loaded anew. */
async function tellMissing(): Promise<void> {
  const isThere = await fetch("/dashboard/session").then(
    ({ ok }) => ok,
    () => false,
  );
  if (isThere && performance.now() > OWN_AGE_MS) location.reload();
  else say(t().common.failed(t().common.network), "bad");
}

/** A part that is not needed at once: its code is loaded when it is first shown. `onLoaded` is called when it comes after the rest. */
export function later<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  onLoaded: () => void = () => undefined,
): ComponentType<Props> {
  const loaded = signal<ComponentType<Props> | undefined>(undefined);
  return function Later(props: Props) {
    useEffect(() => {
      if (loaded.peek() !== undefined) return;
      load().then(
        (part) => {
          loaded.value = part;
          onLoaded();
        },
        () => void tellMissing(),
      );
    }, []);
    const Part = loaded.value;
    return Part === undefined ? null : <Part {...props} />;
  };
}

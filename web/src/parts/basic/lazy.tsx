import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { loadPanelTexts } from "../../text/text.ts";
import { recoverMissing } from "./missing-part.ts";

/** A component whose code and texts are loaded when it is first shown. `onLoaded` is called when they are there. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  onLoaded: () => void = () => undefined,
): ComponentType<Props> {
  const loaded = signal<ComponentType<Props> | undefined>(undefined);
  return function Lazy(props: Props) {
    useEffect(() => {
      if (loaded.peek() !== undefined) return;
      Promise.all([load(), loadPanelTexts()]).then(
        ([part]) => {
          loaded.value = part;
          onLoaded();
        },
        () => void recoverMissing(),
      );
    }, []);
    const Part = loaded.value;
    return Part === undefined ? null : <Part {...props} />;
  };
}
